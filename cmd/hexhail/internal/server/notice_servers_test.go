package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/session"
)

// patience is how long a test waits for what must happen; revokedWithin is what is promised on a quiet
// machine.
const (
	patience      = time.Minute
	revokedWithin = 5 * time.Second
)

const (
	issuer = "https://issuer.test"
	secret = "a secret of the tests, long enough for HS256"
)

// follower is what a server has of accounts: a store, log-ins, sockets and notices.
type follower struct {
	t        *testing.T
	store    *persistence.Store
	auth     *auth.Service
	sessions *session.Handler
	notices  *notices
	url      string

	hold    atomic.Pointer[func()] // called by each authentication after it has read the database
	changed chan ride.Account
	checked chan ride.AccountID
}

// startFollower starts one. Through is its way to the database for notices; nil: its store.
func startFollower(t *testing.T, o persistence.Options, keys auth.Keys, through func(accountFacts) accountFacts) *follower {
	t.Helper()
	n := &follower{t: t, changed: make(chan ride.Account, 1000), checked: make(chan ride.AccountID, 1000)}
	var err error
	n.store, err = persistence.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.store.Close()) })
	c := auth.DefaultConfig()
	c.Password.MemoryKiB, c.Password.Iterations = 8, 1
	c.Outside = []auth.OutsideIssuer{{Issuer: issuer, Audience: "test", Secret: []byte(secret), AllowCreate: true}}
	n.auth, err = auth.New(c, keys, n.store)
	require.NoError(t, err)
	t.Cleanup(n.auth.Close)
	// Sockets that a test does not read answer no pings, for as long as it takes.
	sockets := session.DefaultConfig()
	sockets.ConnectTimeout, sockets.AuthTimeout, sockets.JoinTimeout, sockets.AnswerWithin = patience, patience, patience, patience
	sockets.Socket.SilenceTimeout = 5 * patience
	n.sessions, err = session.New(sockets, n, n)
	require.NoError(t, err)
	server := httptest.NewServer(n.sessions)
	t.Cleanup(func() {
		require.NoError(t, n.sessions.Drain(context.Background()))
		server.Close()
	})
	n.url = server.URL
	facts := accountFacts(n.store)
	if through != nil {
		facts = through(facts)
	}
	n.notices = newNotices(facts, reach{n.sessions.Registry(), n}, slog.New(slog.DiscardHandler))
	require.NoError(t, n.notices.start(t.Context()))
	t.Cleanup(func() { require.NoError(t, n.notices.close(t.Context())) })
	if o.DatabaseURL != "" && through == nil {
		n.until("it listens", n.listens)
	}
	return n
}

func (n *follower) listens() bool {
	n.notices.state.mu.Lock()
	defer n.notices.state.mu.Unlock()
	return n.notices.state.connected
}

func (n *follower) until(what string, holds func() bool) {
	n.t.Helper()
	require.Eventually(n.t, holds, patience, 5*time.Millisecond, what)
}

// Authenticate implements session.Authenticator.
func (n *follower) Authenticate(ctx context.Context, token string) (transport.Principal, error) {
	p, err := n.auth.Authenticate(ctx, token)
	if hold := n.hold.Load(); hold != nil {
		(*hold)()
	}
	return p, err
}

// RedeemTicket implements session.Authenticator.
func (n *follower) RedeemTicket(context.Context, string) (transport.Principal, error) {
	return transport.Principal{}, ride.ErrUnauthenticated
}

// Join implements transport.Router with an actor that answers nothing but connect and commands.
func (n *follower) Join(_ context.Context, j transport.Join) (transport.Inbox, error) {
	j.Out.Reply(&ridepb.Reply{Id: j.ConnectID, Result: &ridepb.Reply_Connected{Connected: &ridepb.Connected{SessionId: j.SessionID}}})
	return idleInbox{j.Out}, nil
}

type idleInbox struct{ out transport.Outbox }

func (i idleInbox) Command(f *ridepb.ClientFrame) {
	i.out.Reply(&ridepb.Reply{Id: f.Id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}})
}
func (idleInbox) Location(ride.Position) error { return nil }
func (idleInbox) Leave()                       {}

// reach is a follower's sessions as notices sees them.
type reach struct {
	*session.Registry
	n *follower
}

func (r reach) AccountChanged(a ride.Account) { r.n.changed <- a }

func (r reach) Check(id ride.AccountID) []session.LogIn {
	defer func() { r.n.checked <- id }()
	return r.Registry.Check(id)
}

// person is an account with a log-in.
type person struct {
	account ride.Account
	tokens  auth.Tokens
}

func (n *follower) signUp(name string, role ride.Role) person {
	n.t.Helper()
	a, tokens, err := n.auth.SignUp(n.t.Context(), auth.SignUp{
		Username: name, Password: "correct horse battery staple", FirstName: "First", LastName: "Last", Role: role,
	})
	require.NoError(n.t, err)
	return person{a, tokens}
}

// socket is a client's connection.
type socket struct {
	n    *follower
	conn *websocket.Conn
}

func (n *follower) dial(token string) socket {
	n.t.Helper()
	conn, _, err := websocket.Dial(n.t.Context(), n.url, &websocket.DialOptions{Subprotocols: []string{wire.SubprotocolJSON}})
	require.NoError(n.t, err)
	n.t.Cleanup(func() { _ = conn.CloseNow() })
	s := socket{n, conn}
	s.send(&ridepb.ClientFrame{Id: "1", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: token}}})
	return s
}

// connect is dial, and waits for the answer.
func (n *follower) connect(token string) socket {
	n.t.Helper()
	s := n.dial(token)
	require.NotNil(n.t, s.read().GetReply().GetConnected())
	return s
}

func (s socket) send(f *ridepb.ClientFrame) {
	s.n.t.Helper()
	b, err := wire.JSON.EncodeClient(f)
	require.NoError(s.n.t, err)
	require.NoError(s.n.t, s.conn.Write(s.n.t.Context(), websocket.MessageText, b))
}

func (s socket) read() *ridepb.ServerFrame {
	s.n.t.Helper()
	ctx, cancel := context.WithTimeout(s.n.t.Context(), patience)
	defer cancel()
	_, b, err := s.conn.Read(ctx)
	require.NoError(s.n.t, err)
	f, err := wire.JSON.DecodeServer(b)
	require.NoError(s.n.t, err)
	return f
}

// lives sends something that is answered.
func (s socket) lives() {
	s.n.t.Helper()
	s.send(&ridepb.ClientFrame{Id: "2", Body: &ridepb.ClientFrame_Ping{Ping: &ridepb.Ping{}}})
	require.NotNil(s.n.t, s.read().GetReply().GetPong())
}

// closed waits for the end and returns its code.
func (s socket) closed() (ridepb.CloseCode, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			if code := websocket.CloseStatus(err); code > 0 {
				return ridepb.CloseCode(code), nil
			}
			return 0, err
		}
	}
}

// deafness is a way to the database whose polls fail.
type deafness struct{ accountFacts }

func (deafness) ChangedAccounts(context.Context, time.Duration, int) (persistence.AccountChanges, error) {
	return persistence.AccountChanges{}, errors.New("no polls in this test")
}

// gate is a way to a Postgres that can be closed: then it ends every connection.
type gate struct {
	url    string
	closed atomic.Bool
	conns  sync.Map
}

func newGate(t *testing.T, database string) *gate {
	t.Helper()
	conf, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(conf.Host, conf.Port)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil || g.closed.Load() {
				_ = client.Close()
				continue
			}
			for _, c := range []net.Conn{client, server} {
				g.conns.Store(c, nil)
			}
			all.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
			all.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); g.close(); all.Wait() })
	u, err := url.Parse(database)
	require.NoError(t, err)
	q := u.Query()
	q.Set("host", "127.0.0.1")
	q.Set("port", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	u.RawQuery = q.Encode()
	g.url = u.String()
	return g
}

func (g *gate) close() {
	g.closed.Store(true)
	g.conns.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
}

// pair starts two of them on one database, the first as its owner; the second learns of changes in one
// way alone.
func pair(t *testing.T, way string) (a, b *follower) {
	t.Helper()
	keys, err := auth.LoadOrCreateKey(filepath.Join(t.TempDir(), "key.pem"))
	require.NoError(t, err)
	if way == "file" {
		o := persistence.DefaultSQLite(filepath.Join(t.TempDir(), "hexhail.db"))
		own := o
		own.Own = true
		return startFollower(t, own, keys, nil), startFollower(t, o, keys, nil)
	}
	o := persistence.DefaultPostgres(pgtest.Start(t))
	own := o
	own.Own = true
	a = startFollower(t, own, keys, nil)
	switch way {
	case "notify":
		b = startFollower(t, o, keys, func(f accountFacts) accountFacts { return deafness{f} })
		b.until("it listens", b.listens)
	case "poll":
		g := newGate(t, o.DatabaseURL)
		o.DatabaseDirectURL = g.url
		b = startFollower(t, o, keys, nil)
		g.close()
		b.until("it no longer listens", func() bool { return !b.listens() })
	default:
		b = startFollower(t, o, keys, nil)
	}
	return a, b
}

// What ends a log-in through one server closes its sockets on the other, with the right code and in
// time, whichever way the other learns of it; other log-ins of the account stay. What changes an
// account reaches its session.
func TestRevocationReachesOtherServers(t *testing.T) {
	for _, way := range []string{"both", "notify", "poll", "file"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t, way)
			ends := map[string]struct {
				code ridepb.CloseCode
				do   func(ctx context.Context, p person) error
			}{
				"suspended": {ridepb.CloseSuspended, func(ctx context.Context, p person) error {
					return a.store.SetAccountStatus(ctx, p.account.ID, ride.AccountSuspended)
				}},
				"logged out": {ridepb.CloseRevoked, func(ctx context.Context, p person) error {
					return a.auth.LogOut(ctx, transport.Principal{Account: p.account, Family: p.tokens.Family})
				}},
				"logged out everywhere": {ridepb.CloseRevoked, func(ctx context.Context, p person) error {
					return a.auth.LogOutAccount(ctx, p.account.ID)
				}},
				"new password": {ridepb.CloseRevoked, func(ctx context.Context, p person) error {
					_, err := a.auth.ResetPassword(ctx, p.account.ID, "another long password")
					return err
				}},
				"refresh token reused": {ridepb.CloseRevoked, func(ctx context.Context, p person) error {
					_, _, err := a.auth.Refresh(ctx, p.tokens.Refresh, "")
					if err != nil {
						return err
					}
					var reused *auth.ReusedError
					if _, _, err = a.auth.Refresh(ctx, p.tokens.Refresh, ""); !errors.As(err, &reused) {
						return fmt.Errorf("not reused: %w", err)
					}
					return nil
				}},
				"erased": {ridepb.CloseRevoked, func(ctx context.Context, p person) error { return a.store.Erase(ctx, p.account.ID) }},
			}
			driver := a.signUp("driver", ride.RoleDriver)
			b.connect(driver.tokens.Access).lives()
			stays := a.signUp("stays", ride.RoleRider)
			_, second, err := a.auth.LogIn(t.Context(), "stays", "correct horse battery staple", "")
			require.NoError(t, err)
			other := b.connect(second.Access)
			leaves := b.connect(stays.tokens.Access)
			sockets, people := map[string]socket{}, map[string]person{}
			number := 0
			for name := range ends {
				number++
				people[name] = a.signUp(fmt.Sprint("rider", number), ride.RoleRider)
				sockets[name] = b.connect(people[name].tokens.Access)
			}
			token, account := outside(t, b) // the other has never seen it
			vouched := b.connect(token)

			var closing sync.WaitGroup
			closes := func(name string, s socket, want ridepb.CloseCode) {
				began := time.Now()
				closing.Go(func() {
					code, err := s.closed()
					if err != nil || code != want {
						t.Errorf("%s: closed with %v, %v instead of %v", name, code, err, want)
					}
					within(t, name, time.Since(began))
				})
			}
			for name, end := range ends {
				require.NoError(t, end.do(t.Context(), people[name]), name)
				closes(name, sockets[name], end.code)
			}
			require.NoError(t, a.auth.LogOutAccount(t.Context(), account))
			closes("logged out at an outside issuer", vouched, ridepb.CloseRevoked)
			require.NoError(t, a.auth.LogOut(t.Context(), transport.Principal{Account: stays.account, Family: stays.tokens.Family}))
			closes("one of two log-ins", leaves, ridepb.CloseRevoked)
			_, err = a.store.SetApproval(t.Context(), driver.account.ID, ride.ApprovalRefused, "no")
			require.NoError(t, err)
			closing.Wait()
			for got := (ride.Account{}); got.ID != driver.account.ID || got.Approval != ride.ApprovalRefused; {
				select {
				case got = <-b.changed:
				case <-time.After(patience):
					t.Fatal("the driver's session does not learn of the refusal")
				}
			}
			other.lives()
			require.NoError(t, b.notices.state.finding(time.Now()), "one way is enough")
			applied := b.applied()
			switch way {
			case "notify":
				require.NotZero(t, applied[wayNotify])
				require.Zero(t, applied[wayPoll])
			case "poll", "file":
				require.NotZero(t, applied[wayPoll])
				require.Zero(t, applied[wayNotify])
			}
		})
	}
}

// applied returns how many changes were applied, by the way in which they were learnt of.
func (n *follower) applied() map[string]float64 {
	n.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(n.notices)
	families, err := registry.Gather()
	require.NoError(n.t, err)
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "hexhail_account_changes_applied_total" {
			for _, m := range f.GetMetric() {
				out[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	require.Len(n.t, out, 3)
	return out
}

// outside returns a token of an outside issuer and its account.
func outside(t *testing.T, n *follower) (token string, account ride.AccountID) {
	t.Helper()
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": issuer, "aud": "test", "sub": "ada", "role": "rider", "name": "Ada", "exp": now.Add(time.Hour).Unix(),
		"iat": now.Add(5 * time.Second).Unix(), // its clock is ahead
	}).SignedString([]byte(secret))
	require.NoError(t, err)
	p, err := n.auth.Authenticate(t.Context(), token)
	require.NoError(t, err)
	return token, p.Account.ID
}

// within compares a time with the promise, as testbench/harness does, which this package cannot import.
func within(t *testing.T, what string, took time.Duration) {
	if took <= revokedWithin {
		return
	}
	if os.Getenv("HEXHAIL_BOUNDS") != "" {
		t.Errorf("%s took %s; the bound is %s", what, took, revokedWithin)
	}
	t.Logf("%s took %s; the bound is %s on a quiet machine", what, took, revokedWithin)
}

// A handshake that read the database before a revocation on another server, and is bound after this
// one has looked for it, ends closed.
func TestHandshakeRacesARevocationElsewhere(t *testing.T) {
	for _, way := range []string{"notify", "poll", "file"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t, way)
			read, goOn := make(chan struct{}), make(chan struct{})
			hold := func() { read <- struct{}{}; <-goOn }
			b.hold.Store(&hold)
			ends := map[ridepb.CloseCode]func(p person) error{
				ridepb.CloseRevoked: func(p person) error { return a.store.RevokeFamily(t.Context(), p.tokens.Family) },
				ridepb.CloseSuspended: func(p person) error {
					return a.store.SetAccountStatus(t.Context(), p.account.ID, ride.AccountSuspended)
				},
			}
			sockets, unchecked := map[ridepb.CloseCode]socket{}, map[ride.AccountID]bool{}
			people := map[ridepb.CloseCode]person{}
			for code := range ends {
				p := a.signUp(fmt.Sprint("late", int(code)), ride.RoleRider)
				people[code], unchecked[p.account.ID] = p, true
				sockets[code] = b.dial(p.tokens.Access)
				<-read
			}
			for code, end := range ends {
				require.NoError(t, end(people[code]))
			}
			for len(unchecked) > 0 {
				delete(unchecked, <-b.checked)
			}
			close(goOn)
			for code, s := range sockets {
				got, err := s.closed()
				require.NoError(t, err)
				require.Equal(t, code, got)
			}
		})
	}
}

// A listener whose session is cut again and again comes back, and what is changed meanwhile arrives all
// the same.
func TestListenerComesBack(t *testing.T) {
	t.Parallel()
	keys, err := auth.LoadOrCreateKey(filepath.Join(t.TempDir(), "key.pem"))
	require.NoError(t, err)
	name := "listener-" + rand.Text()[:8]
	database := pgtest.Start(t)
	o := persistence.DefaultPostgres(database + "&application_name=" + name)
	a, b := startFollower(t, o, keys, nil), startFollower(t, o, keys, nil)
	p := a.signUp("ada", ride.RoleRider)
	s := b.connect(p.tokens.Access)

	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	cut := func() (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name LIKE $1`, name+" account changes%").Scan(&n))
		return n
	}
	b.until("listeners to cut", func() bool { return cut() > 0 })
	b.until("it was cut", func() bool { cut(); return !b.listens() })
	began := time.Now()
	require.NoError(t, a.store.SetAccountStatus(t.Context(), p.account.ID, ride.AccountSuspended))
	ended := make(chan ridepb.CloseCode, 1)
	go func() {
		code, err := s.closed()
		if err != nil {
			code = ridepb.CloseInternal
		}
		ended <- code
	}()
	for code := ridepb.CloseCode(0); code == 0; {
		select {
		case code = <-ended:
			require.Equal(t, ridepb.CloseSuspended, code)
		case <-time.After(10 * time.Millisecond):
			cut()
		}
	}
	within(t, "suspended", time.Since(began))
	b.until("it listens again", b.listens)
}
