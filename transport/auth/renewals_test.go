package auth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestRenewalsAreBounded: spent tokens are kept for weeks, so that a loop of renewals, or of
// repetitions of one, would fill the disk. Other log-ins are not concerned, and a copy is
// noticed all the same.
func TestRenewalsAreBounded(t *testing.T) {
	f := newFixture(t)
	for name, again := range map[string]bool{"renewals": false, "repetitions of one": true} {
		t.Run(name, func(t *testing.T) {
			alice, first := f.rider(t, map[bool]string{false: "alice", true: "alma"}[again])
			latest, stored := first, 0
			var soon *TooSoonError
			for range 10 * renewalsAtOnce {
				token := latest.Refresh
				if again {
					token = first.Refresh
				}
				_, next, err := f.Refresh(t.Context(), token, attempt)
				if err != nil {
					require.ErrorAs(t, err, &soon)
					require.ErrorIs(t, err, ride.ErrTooMany)
					break
				}
				latest, stored = next, stored+1
			}
			require.Equal(t, renewalsAtOnce, stored)
			_, _, err := f.Refresh(t.Context(), latest.Refresh, "")
			require.ErrorIs(t, err, ride.ErrTooMany)

			_, other, err := f.LogIn(t.Context(), alice.Username, "correct horse", "192.0.2.1")
			require.NoError(t, err)
			_, _, err = f.Refresh(t.Context(), other.Refresh, "")
			require.NoError(t, err)

			f.clock.advance(soon.RetryAfter)
			_, last, err := f.Refresh(t.Context(), latest.Refresh, "")
			require.NoError(t, err, "nothing was spent, and its time has come")
			_, _, err = f.Refresh(t.Context(), last.Refresh, "")
			require.ErrorIs(t, err, ride.ErrTooMany)
			f.clock.advance(time.Minute)
			var reused *ReusedError
			_, _, err = f.Refresh(t.Context(), first.Refresh, attempt)
			require.ErrorAs(t, err, &reused, "a copy is noticed")
		})
	}
}
