package client

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/stretchr/testify/require"
)

func TestFramesAreWhatTheLibraryReads(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 4000, 0xffff} {
		payload := bytes.Repeat([]byte("x"), n)
		b, start, err := frame(nil, ws.OpBinary, func(b []byte) ([]byte, error) { return append(b, payload...), nil })
		require.NoError(t, err)
		f, err := ws.ReadFrame(bytes.NewReader(b[start:])) //nolint:staticcheck // deprecated for what comes from strangers; these bytes are ours
		require.NoError(t, err)
		require.True(t, f.Header.Masked && f.Header.Fin)
		require.Equal(t, ws.OpBinary, f.Header.OpCode)
		require.Equal(t, payload, append([]byte{}, ws.UnmaskFrame(f).Payload...))
	}
	_, _, err := frame(nil, ws.OpText, func(b []byte) ([]byte, error) { return append(b, make([]byte, 1<<16)...), nil })
	require.ErrorIs(t, err, errTooBig)
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	for attempt := range 100 {
		most := backoffMax
		if attempt < 6 {
			most = backoffStep << attempt
		}
		for range 50 {
			d := backoff(attempt)
			require.True(t, d >= 0 && d < most, "%s after %d attempts", d, attempt)
		}
	}
}

func TestPauseHonoursTheServerAndTheOutage(t *testing.T) {
	c := &Client{}
	d := c.pause(Down{RetryAfter: 8 * time.Second})
	require.True(t, d >= 8*time.Second && d <= 10*time.Second, d)
	c.dropped, c.outage = true, time.Hour
	require.Equal(t, time.Hour, c.pause(Down{}))
	require.Less(t, c.pause(Down{}), 2*backoffStep, "an outage counts once")
}

func TestVerdicts(t *testing.T) {
	c := &Client{}
	for _, x := range []struct {
		conn  *conn
		err   error
		code  int
		final bool
	}{
		{&conn{code: 4503}, nil, 4503, true},
		{&conn{announced: 4000}, nil, 4000, false},
		{&conn{code: 4999}, nil, 4999, true}, // unknown codes go by their hundreds
		{&conn{}, errors.New("reset"), 1006, false},
	} {
		d := c.verdict(x.conn, true, x.err)
		require.Equal(t, x.code, d.Code)
		require.Equal(t, x.final, d.Final)
	}
	require.True(t, c.verdict(&conn{}, true, errHole).Breach)
}
