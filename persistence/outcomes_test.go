package persistence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestOutcomesOfAnAccountAreBounded: the newest stay, of each account; in time without the
// janitor, and at once with it.
func TestOutcomesOfAnAccountAreBounded(t *testing.T) {
	const most = 40
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			o := engine.at(t)
			o.CommandsPerAccount, o.PurgeEvery = most, 0
			o.Now = func() time.Time { return epoch }
			s := open(t, o)
			write := func(account string, i int) {
				require.NoError(t, s.Commit(t.Context(), ride.Transition{Command: &ride.CommandRecord{
					Account: ride.AccountID(account), ID: fmt.Sprint(i), Digest: "d", Reply: []byte("r"), At: epoch.Add(time.Duration(i) * time.Second),
				}}))
			}
			kept := func(account string, i int) bool {
				_, err := s.Command(t.Context(), ride.AccountID(account), fmt.Sprint(i))
				return err == nil
			}
			write("quiet", 1)
			for i := range 10 * most {
				write("busy", i)
				require.True(t, kept("busy", i), "the newest is kept")
			}
			require.Eventually(t, func() bool {
				return !kept("busy", 10*most-1-most-most/8-1)
			}, 30*time.Second, 10*time.Millisecond, "an eighth more at most, for long")
			_, err := s.Purge(t.Context())
			require.NoError(t, err)
			for i := range 10 * most {
				require.Equal(t, i >= 9*most, kept("busy", i), "%d", i)
			}
			require.True(t, kept("quiet", 1))
		})
	}
}
