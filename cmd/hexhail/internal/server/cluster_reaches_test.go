package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
)

// A node that waits for a lock reaches the database: it must not end itself for that.
func TestReaches(t *testing.T) {
	for cause, want := range map[persistence.Cause]bool{
		persistence.CauseSlow: true, persistence.CauseLocked: true,
		persistence.CauseNoAnswer: false, persistence.CauseUnreachable: false, persistence.CauseDenied: false, persistence.CauseReadOnly: false,
	} {
		require.Equal(t, want, reaches(persistence.Health{Cause: cause, Failing: true}), cause)
		require.True(t, reaches(persistence.Health{Cause: cause}), cause)
	}
}
