package persistence

import (
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// signs are the signs of life of a listener.
type signs struct{ listening, alive chan struct{} }

func (s signs) Listening()           { s.listening <- struct{}{} }
func (signs) Changed(ride.AccountID) {}
func (s signs) Alive() {
	select {
	case s.alive <- struct{}{}:
	default:
	}
}

// A session without announcements gives signs of life, and one that no longer answers ends.
func TestListenerNoticesSilence(t *testing.T) {
	t.Parallel()
	base := pgtest.Start(t)
	through, lose := lossy(t, base)
	s := openAt(t, Edited(DefaultPostgres(base), func(o *Options) { o.DatabaseDirectURL, o.NoHealth = through, true }))
	here := signs{make(chan struct{}, 1), make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAccounts(t.Context(), here) }()
	<-here.listening
	<-here.alive
	lose()
	require.Error(t, <-ended)
	require.NoError(t, s.Ping(t.Context()))
}

// lossy is a way to a Postgres that loses every byte from when lose is called, and keeps connections
// open.
func lossy(t *testing.T, database string) (through string, lose func()) {
	t.Helper()
	conf, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(conf.Host, conf.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var lost atomic.Bool
	var all sync.WaitGroup
	var conns sync.Map
	forward := func(to, from net.Conn) {
		defer func() { _ = to.Close() }()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if lost.Load() {
				continue
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			conns.Store(client, nil)
			all.Go(func() { forward(client, server) })
			all.Go(func() { forward(server, client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true }) // pgx would wait for its end
		all.Wait()
	})
	u, err := url.Parse(database)
	require.NoError(t, err)
	q := u.Query()
	q.Set("host", "127.0.0.1")
	q.Set("port", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	u.RawQuery = q.Encode()
	return u.String(), func() { lost.Store(true) }
}
