package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddress returns an address that was free a moment ago. Its port is below those that systems hand out, so that
// no listener on port 0 takes it meanwhile.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)))
		if err == nil {
			address := l.Addr().String()
			if err := l.Close(); err != nil {
				tb.Fatal(err)
			}
			return address
		}
	}
	tb.Fatal("no free port")
	return ""
}
