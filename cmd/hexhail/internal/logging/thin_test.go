package logging

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A store that is down must not fill the disk with log records, and the number of dropped ones is
// reported.
func TestRepeatedErrorsAreThinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		log, err := New(&b, "text", "info")
		require.NoError(t, err)
		trip := log.With("part", "trips")
		for i := range 100 {
			trip.Error("trip command failed", "n", i)
			log.Warn("another message", "n", i)
			log.Info("session ended", "n", i)
		}
		require.Equal(t, thinMost, strings.Count(b.String(), "trip command failed"))
		require.Equal(t, thinMost, strings.Count(b.String(), "another message"))
		require.Equal(t, 100, strings.Count(b.String(), "session ended"), "information is complete")
		require.NotContains(t, b.String(), leftOut)
		time.Sleep(thinWindow)
		b.Reset()
		log.Error("trip command failed")
		trip.Error("trip command failed")
		require.Equal(t, 2, strings.Count(b.String(), "trip command failed"))
		require.Equal(t, 1, strings.Count(b.String(), "left_out=90"), b.String())
	})
}

func TestThinningForgets(t *testing.T) {
	var b bytes.Buffer
	log, err := New(&b, "json", "warn")
	require.NoError(t, err)
	for i := range 3 * thinKinds {
		log.Warn(strings.Repeat("x", i))
	}
	require.Equal(t, 3*thinKinds, strings.Count(b.String(), "\n"), "messages that differ do not thin each other")
}
