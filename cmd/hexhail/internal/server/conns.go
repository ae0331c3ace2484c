package server

import (
	"math"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/transport/conns"
)

// filesReserved are descriptors that clients never get: for the operations listener, the files of
// the embedded database and the log. Those of a Postgres pool come on top.
const filesReserved = 64

// clientConns bounds the connections at the clients' address. sockets counts the open ones.
func clientConns(c *config.Config, demo bool, sockets func() int) *conns.Limit {
	_, ofAddress := mostSockets(c, demo)
	cfg := conns.Config{
		// Each socket begins as such a connection.
		PerNetwork: max(c.HTTP.ConnectionsPerAddress, ofAddress),
		Trusted:    c.HTTP.TrustedProxies,
		Total:      mostConns(openFiles(), poolSize(c)),
		Others:     sockets,
	}
	if demo { // all of the simulated city comes from one address
		cfg.PerNetwork = 0
	}
	return conns.New(cfg)
}

// poolSize is how many connections lead to Postgres; 0 for the embedded database.
func poolSize(c *config.Config) int {
	if c.Store.DatabaseURL.Reveal() == "" {
		return 0
	}
	return c.Store.DatabaseConns
}

// mostSockets is how many sockets there may be, in all and of one address: where descriptors are
// few, three quarters and half of what there is for clients, so that requests always find room and
// one place cannot take all. Sockets stay open, other than connections, which make room for others.
func mostSockets(c *config.Config, demo bool) (all, ofAddress int) {
	total := mostConns(openFiles(), poolSize(c))
	if demo || total == 0 { // all of the simulated city comes from one address
		return c.Sockets.Max, c.Sockets.MaxPerAddress
	}
	return min(c.Sockets.Max, max(1, total/4*3)), min(c.Sockets.MaxPerAddress, max(1, total/2))
}

// mostConns leaves a reserve of the descriptors; 0: no bound. What clients send may open further
// ones for a moment, such as a key set's download: a part of all is kept for that.
func mostConns(files uint64, pool int) int {
	if files == 0 || files > math.MaxInt32 {
		return 0
	}
	n := int(files)
	return max(n-max(filesReserved+pool, n/8), n/2, 1)
}
