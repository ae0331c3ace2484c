package persistence_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestMigrate: up, status and down, each also when there is nothing to do.
func TestMigrate(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			type step struct {
				do      persistence.Direction
				applied int
			}
			all, err := persistence.Migrate(t.Context(), o, persistence.Status)
			require.NoError(t, err)
			n := len(all)
			steps := []step{{persistence.Status, 0}, {persistence.Down, 0}, {persistence.Up, n}, {persistence.Up, n}, {persistence.Status, n}}
			for left := n - 1; left >= 0; left-- {
				steps = append(steps, step{persistence.Down, left})
			}
			for _, step := range append(steps, step{persistence.Status, 0}) {
				list, err := persistence.Migrate(t.Context(), o, step.do)
				require.NoError(t, err, step.do)
				require.Len(t, list, n)
				for i, m := range list {
					require.EqualValues(t, i+1, m.Version)
					require.Equal(t, i < step.applied, m.Applied, "%s: %s", step.do, m.Name)
					require.Equal(t, m.Applied, !m.At.IsZero())
				}
			}
			_, err = persistence.Migrate(t.Context(), o, "sideways")
			require.ErrorContains(t, err, "sideways")
			storetest.Stored(t, open(t, o), "t1", "r1")
		})
	}
}

// TestOpenAtOnce: several nodes may start on an empty database together.
func TestOpenAtOnce(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			errs := make([]error, 5)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() {
					s, err := persistence.Open(t.Context(), o)
					if err == nil {
						err = errors.Join(s.Ping(t.Context()), s.Close())
					}
					errs[i] = err
				})
			}
			wg.Wait()
			require.NoError(t, errors.Join(errs...))
		})
	}
}

// TestOpenFails: a place that cannot be is an error, not a panic, and leaves nothing
// behind.
func TestOpenFails(t *testing.T) {
	for name, o := range map[string]persistence.Options{
		"nowhere":    persistence.DefaultSQLite(""),
		"no folder":  persistence.DefaultSQLite("/dev/null/hexhail.db"),
		"bad url":    persistence.DefaultPostgres("postgres://%zz"),
		"no server":  persistence.DefaultPostgres("postgres://hexhail:secret@127.0.0.1:1/hexhail"),
		"no mapping": persistence.DefaultPostgres("postgres:///?host=/nonexistent&user=x"),
	} {
		s, err := persistence.Open(t.Context(), o)
		require.Error(t, err, name)
		require.Nil(t, s, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}
