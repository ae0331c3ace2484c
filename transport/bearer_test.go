package transport_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport"
)

func TestBearerToken(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string // empty: not one bearer token
	}{
		{nil, ""},
		{[]string{"Bearer abc"}, "abc"},
		{[]string{"bearer abc"}, "abc"},
		{[]string{"Bearer  abc"}, ""},
		{[]string{"Bearer"}, ""},
		{[]string{"Bearer "}, ""},
		{[]string{"Basic abc"}, ""},
		{[]string{"abc"}, ""},
		{[]string{"Bearer abc", "Bearer abc"}, ""},
	} {
		token, ok := transport.BearerToken(http.Header{"Authorization": c.values})
		require.Equal(t, c.want != "", ok, c.values)
		if ok {
			require.Equal(t, c.want, token)
		}
	}
}
