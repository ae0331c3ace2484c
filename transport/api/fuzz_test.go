package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hexhail/hexhail/transport/problem"
	"github.com/stretchr/testify/require"
)

// FuzzStrictJSON: what is accepted means the same to a lenient reader.
func FuzzStrictJSON(f *testing.F) {
	f.Add([]byte(`{"username":"ada","password":"correct horse","first_name":"Ada","last_name":"L","role":"rider"}`))
	f.Add([]byte(`{"role":"rider","ROLE":"operator"}`))
	f.Add([]byte(`{"role":"rider","role":"operator"}`))
	f.Add([]byte(`{"r\u006fle":"rider","plate":"\u0000"}`))
	f.Add([]byte(strings.Repeat(`{"role":`, 40)))
	f.Add([]byte(`{"role":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var strict, lenient signUpRequest
		if unmarshalStrict(data, &strict) != nil {
			return
		}
		require.NoError(t, json.Unmarshal(data, &lenient))
		require.Equal(t, lenient, strict)
		require.LessOrEqual(t, len(data), maxJSONBytes)
		b, err := json.Marshal(strict)
		require.NoError(t, err)
		require.NotContains(t, string(b), `\u0000`)
	})
}

func FuzzOrientation(f *testing.F) {
	for _, o := range []int{1, 6, 9} {
		f.Add(someJPEG(f, 8, 8, o)[:120])
	}
	f.Add([]byte("\xff\xd8\xff\xff\xff\xe1\x00\x1cExif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(data); o < 0 || o > 8 {
			t.Fatal(o)
		}
	})
}

func FuzzForm(f *testing.F) {
	good, ct := form(f, [2]string{"username", "ada"}, [2]string{"photo", "\xff\xd8\xff"})
	boundary := strings.TrimPrefix(ct, "multipart/form-data; boundary=")
	f.Add(good, boundary)
	f.Add(good[:len(good)-8], boundary)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\na\r\n--b\r\n"+
		"Content-Disposition: form-data; name=\"username\"\r\n\r\nb\r\n--b--\r\n"), "b")
	f.Fuzz(func(t *testing.T, data []byte, boundary string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/accounts", bytes.NewReader(data))
		ctx := context.WithValue(t.Context(), callKey{}, &call{request: r, writer: httptest.NewRecorder()})
		var username string
		photo, err := readForm(ctx, boundary, map[string]*string{"username": &username})
		if err != nil {
			require.Equal(t, "malformed", problem.Of(err).Code)
			return
		}
		require.LessOrEqual(t, len(photo), maxPhotoBytes)
		require.LessOrEqual(t, len(username), maxFormField)
	})
}
