package persistence

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

func TestCursor(t *testing.T) {
	for _, c := range []cursor{{0, "a"}, {-1, "a:b"}, {1 << 62, "ü"}} {
		got, err := decodeCursor(c.encode())
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	for _, raw := range []string{"", "1", "1:2", "1:2:", "2:2:a", "1:x:a", "1:+2:a", "1:02:a", "1:99999999999999999999:a",
		"1:2:a\x00", "1:2:\xff"} {
		_, err := decodeCursor(base64.RawURLEncoding.EncodeToString([]byte(raw)))
		require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", raw)
	}
}

// FuzzCursor: whatever comes, a cursor is refused or is exactly one that was issued.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "MTox", cursor{1_700_000_000_000_000, "0190c7a2"}.encode(), "====", "\x00", "MToxOmF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := decodeCursor(s)
		if err != nil {
			require.ErrorIs(t, err, ride.ErrInvalidArgument)
			return
		}
		require.Equal(t, s, c.encode())
		require.True(t, validText(c.id))
		require.NotEmpty(t, c.id)
	})
}
