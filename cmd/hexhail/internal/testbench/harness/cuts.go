package harness

import (
	"net"
	"testing"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cuts"
)

// Cuts is a network between named hosts that ends with a test.
type Cuts struct{ *cuts.Network }

// NewCuts returns a network without cuts, which ends with the test.
func NewCuts(tb testing.TB) *Cuts {
	n := cuts.New()
	tb.Cleanup(n.Close)
	return &Cuts{n}
}

// Lead is Network.Lead for an address without which the test cannot go on.
func (c *Cuts) Lead(tb testing.TB, to string, dial func() (net.Conn, error), from func(client net.Conn) string) (address string) {
	tb.Helper()
	address, err := c.Network.Lead(to, dial, from)
	if err != nil {
		tb.Fatal(err)
	}
	return address
}
