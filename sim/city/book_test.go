package city

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/report"
)

// Each status of the protocol is counted somewhere.
func TestEveryStatusIsCounted(t *testing.T) {
	b := newBook(&report.Stats{}, nil)
	for n, name := range ridepb.Trip_Status_name {
		s := ridepb.Trip_Status(n)
		require.Equal(t, s != ridepb.Trip_status_unspecified, b.gauge(s) != nil, name)
	}
}
