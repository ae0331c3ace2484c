package ws

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/internal/manual"
)

// docs/protocol.md states what a connection bears by default.
func TestPageSaysTheLimitsOfAConnection(t *testing.T) {
	page, err := manual.Load("protocol.md")
	require.NoError(t, err)
	rows, err := page.Table("limits")
	require.NoError(t, err)
	got := map[string]string{}
	for _, row := range rows {
		require.Len(t, row, 3)
		got[row[0]] = row[1]
	}
	c := Config{}.withDefaults()
	require.Equal(t, fmt.Sprintf("%d KiB", c.MaxMessage>>10), got["a message of the client"])
	require.Equal(t, fmt.Sprintf("%d s", int(c.SilenceTimeout.Seconds())), got["silence of the client"])
	require.Equal(t, fmt.Sprintf("%d KiB", c.MaxQueue>>10), got["bytes waiting for a client that does not read"])
	require.Equal(t, fmt.Sprintf("%d s", int(c.WriteTimeout.Seconds())), got["one write to a client that does not read"])
	require.Contains(t, page.Text(), fmt.Sprintf("(default %d s, ±20 %%)", int(c.PingInterval.Seconds())))
}
