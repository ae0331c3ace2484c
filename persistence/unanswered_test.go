package persistence_test

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// cut says where the proxy breaks a connection around a COMMIT.
type cut int32

const (
	cutNone   cut = iota
	cutBefore     // the server never receives the commit
	cutAfter      // the server commits, the client never learns of it
)

// marked is in the ids of what is cut. A store also commits for itself, to see that it can.
const marked = "to-be-cut"

// proxy stands between a store and its Postgres.
type proxy struct {
	net.Listener
	server net.Addr
	next   atomic.Int32 // the cut of the next COMMIT of something marked, then none
	cuts   atomic.Int32 // how often it has cut
}

// startProxy returns a proxy in front of the server at a URL, and the URL through it.
func startProxy(t *testing.T, base string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(base)
	require.NoError(t, err)
	q := u.Query()
	p := &proxy{server: &net.UnixAddr{Net: "unix", Name: q.Get("host") + "/.s.PGSQL.5432"}}
	if q.Get("host") == "" { // a server of TEST_DATABASE_URL
		addr, err := net.ResolveTCPAddr("tcp", u.Host)
		require.NoError(t, err)
		p.server = addr
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.Listener = l
	t.Cleanup(func() { _ = l.Close() })
	go p.serve()
	q.Del("host")
	u.Host = l.Addr().String()
	u.RawQuery = q.Encode()
	return p, u.String()
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.server.Network(), p.server.String())
		if err != nil {
			_ = client.Close()
			continue
		}
		var deaf atomic.Bool // the client hears no more
		go func() {
			defer func() { _ = client.Close(); _ = server.Close() }()
			buf := make([]byte, 64<<10)
			for {
				n, err := server.Read(buf)
				if err != nil || deaf.Load() {
					return
				}
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
		go p.forward(client, server, &deaf)
	}
}

// forward copies what the client says, and cuts at a COMMIT when asked to.
func (p *proxy) forward(client, server net.Conn, deaf *atomic.Bool) {
	buf := make([]byte, 64<<10)
	var heard []byte // since the last COMMIT, in lower case
	for {
		n, err := client.Read(buf)
		if err != nil {
			_ = server.Close()
			return
		}
		heard = append(heard, bytes.ToLower(buf[:n])...)
		how := cutNone
		if i := bytes.LastIndex(heard, []byte("commit\x00")); i >= 0 {
			begun := max(bytes.LastIndex(heard[:i], []byte("begin")), 0)
			if bytes.Contains(heard[begun:i], []byte(marked)) {
				how = cut(p.next.Swap(int32(cutNone)))
			}
			if how != cutNone {
				p.cuts.Add(1)
			}
			heard = heard[i+len("commit\x00"):]
		}
		if how == cutBefore {
			_ = server.Close()
			_ = client.Close()
			return
		}
		if how == cutAfter {
			deaf.Store(true)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			_ = client.Close()
			return
		}
	}
}

// TestUnansweredCommit: when the answer to a COMMIT is lost, the store finds out
// what became of it, and callers get the truth.
func TestUnansweredCommit(t *testing.T) {
	p, through := startProxy(t, pgtest.Start(t))
	s := open(t, persistence.Edited(persistence.DefaultPostgres(through), func(o *persistence.Options) { o.ReadBack = 10 * time.Second }))

	h, tr := storetest.Requested("trip-"+marked, "r1")
	p.next.Store(int32(cutAfter))
	require.NoError(t, s.Commit(t.Context(), tr), "it was written")
	got, err := s.Trip(t.Context(), "trip-"+marked)
	require.NoError(t, err)
	require.Equal(t, h.Version, got.Version)

	tr = (&storetest.History{Trip: h.Trip, At: h.At}).Then(ride.Expired{At: h.Tick()})
	p.next.Store(int32(cutBefore))
	err = s.Commit(t.Context(), tr)
	require.ErrorIs(t, err, ride.ErrUnavailable, "it was not written")
	require.NotErrorIs(t, err, ride.ErrUnknownOutcome)
	storetest.Commit(t, s, tr)

	command := ride.Transition{Command: &ride.CommandRecord{Account: "a", ID: "command-" + marked, At: epoch}}
	p.next.Store(int32(cutAfter))
	require.NoError(t, s.Commit(t.Context(), command))
	require.ErrorIs(t, s.Commit(t.Context(), command), ride.ErrCommandSeen)
	require.EqualValues(t, 3, p.cuts.Load())
}

// TestUnresolvableCommit: when the server stays away, the outcome is unknown, after
// a bounded time.
func TestUnresolvableCommit(t *testing.T) {
	p, through := startProxy(t, pgtest.Start(t))
	s := open(t, persistence.Edited(persistence.DefaultPostgres(through), func(o *persistence.Options) { o.ReadBack = 300 * time.Millisecond }))
	h := storetest.Stored(t, s, "trip-"+marked, "r1")
	require.NoError(t, p.Close()) // the connections that there are go on
	p.next.Store(int32(cutAfter))
	err := s.Commit(t.Context(), h.Then(ride.Expired{At: h.Tick()}))
	require.ErrorIs(t, err, ride.ErrUnknownOutcome)
	require.EqualValues(t, 1, p.cuts.Load())
}
