package streets

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestContentIsTheFile reads the file from the beginning and from many places.
func TestContentIsTheFile(t *testing.T) {
	m := lettered(t).mapped()
	loaded, err := Read(bytes.NewReader(written(t, m)))
	require.NoError(t, err)
	heavy, err := m.WithWeights(t.Context(), func(Street, bool) time.Duration { return time.Minute })
	require.NoError(t, err)
	require.NotEqual(t, written(t, m), written(t, heavy))
	for _, m := range []*Map{m, loaded, heavy} {
		want := written(t, m)
		c := m.Content()
		require.EqualValues(t, len(want), c.Size())
		require.NoError(t, iotest.TestReader(c, want), "and it can be read at any place")
		for at := 0; at <= len(want); at += 97 {
			_, err := c.Seek(int64(at), io.SeekStart)
			require.NoError(t, err)
			got := make([]byte, min(150, len(want)-at))
			_, err = io.ReadFull(c, got)
			require.NoError(t, err)
			require.Equal(t, want[at:at+len(got)], got)
		}
	}
	c := m.Content()
	for _, bad := range []struct {
		offset int64
		whence int
	}{{-1, io.SeekStart}, {-1, io.SeekCurrent}, {-c.Size() - 1, io.SeekEnd}, {0, 9}} {
		_, err := c.Seek(bad.offset, bad.whence)
		require.ErrorIs(t, err, errSeek)
	}
}

// TestTheTableIsMadeOnce: to know how long the file is takes no encoding of it after the first time, also not for
// a map with another model.
func TestTheTableIsMadeOnce(t *testing.T) {
	m := squares(t).mapped()
	first := m.Content()
	other, err := m.WithModel(DefaultModel())
	require.NoError(t, err)
	for _, m := range []*Map{m, other} {
		c := m.Content()
		require.Same(t, &first.table[0], &c.table[0])
		require.Nil(t, c.encoded)
	}
}
