package server

import (
	"math"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/transport/conns"
)

// filesReserved is the number of descriptors kept from clients, for the operations listener, the
// embedded database's files and the log. A Postgres pool's come on top.
const filesReserved = 64

// clientConns bounds the connections at the clients' address. sockets counts the open ones.
func clientConns(c *config.Config, demo bool, sockets func() int) *conns.Limit {
	_, ofAddress := mostSockets(c, demo)
	cfg := conns.Config{
		// Each socket starts as such a connection.
		PerNetwork: max(c.HTTP.ConnectionsPerAddress, ofAddress),
		Trusted:    c.HTTP.TrustedProxies,
		Total:      mostConns(openFiles(), poolSize(c)),
		Others:     sockets,
	}
	if demo { // the whole simulated city comes from one address
		cfg.PerNetwork = 0
	}
	return conns.New(cfg)
}

// poolSize is the number of connections to Postgres; 0 for the embedded database.
func poolSize(c *config.Config) int {
	if c.Store.DatabaseURL.Reveal() == "" {
		return 0
	}
	return c.Store.DatabaseConns
}

// mostSockets is the maximum number of sockets, in total and from one address. If descriptors are
// scarce, that is three quarters and half of the clients' descriptors, so that requests always find
// room and one address cannot take all. Unlike idle connections, sockets are not closed to make
// room for others.
func mostSockets(c *config.Config, demo bool) (all, ofAddress int) {
	total := mostConns(openFiles(), poolSize(c))
	if demo || total == 0 { // the whole simulated city comes from one address
		return c.Sockets.Max, c.Sockets.MaxPerAddress
	}
	return min(c.Sockets.Max, max(1, total/4*3)), min(c.Sockets.MaxPerAddress, max(1, total/2))
}

// mostConns is the number of descriptors less a reserve; 0 means no bound. Requests may briefly
// open further ones, for example to download a key set: part of the reserve is for that.
func mostConns(files uint64, pool int) int {
	if files == 0 || files > math.MaxInt32 {
		return 0
	}
	n := int(files)
	return max(n-max(filesReserved+pool, n/8), n/2, 1)
}
