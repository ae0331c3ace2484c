// Package server assembles Hexhail: the one place where the store, the actors, the
// sockets and the HTTP API meet.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/conns"
	"github.com/hexhail/hexhail/transport/session"
	"github.com/hexhail/hexhail/transport/ws"
	"github.com/hexhail/hexhail/web"
)

// The store implements the interface of every consumer.
var (
	_ actors.Store = (*persistence.Store)(nil)
	_ auth.Store   = (*persistence.Store)(nil)
	_ api.Accounts = (*persistence.Store)(nil)
	_ api.Photos   = (*persistence.Store)(nil)
	_ api.Audit    = (*persistence.Store)(nil)
	_ api.Trips    = (*persistence.Store)(nil)
)

// parts is the pieces of one server, made in start order: each needs those before it.
type parts struct {
	cfg *config.Config
	log *slog.Logger
	ops *ops.Server
	// demo makes the server a demonstration; nil for an ordinary one.
	demo  *demo.Host
	trial bool
	// makeMissing creates a database beside an old key, or a key beside an old database.
	makeMissing bool

	metrics  *metrics
	store    *persistence.Store
	actors   *actors.System
	auth     *auth.Service
	sessions *session.Handler
	notices  *notices
	api      *api.API
	http     *http.Server
	listener net.Listener
	failed   chan error
	disowned chan error
	accepted chan struct{} // closed when the accept loop has ended
}

// Assemble makes the services of a server, without starting any.
func Assemble(_ context.Context, in Base) (*Server, error) {
	p := &parts{
		cfg: in.Config, log: in.Log, ops: in.Ops, demo: in.Demo, trial: in.Trial, makeMissing: in.MakeMissing || in.Demo != nil, metrics: newMetrics(),
		failed: make(chan error, 1), disowned: make(chan error, 1), accepted: make(chan struct{}),
	}
	in.Ops.Registry.MustRegister(p.metrics)
	in.Ops.AddCheck(ops.Check{Name: "database", Run: func(context.Context) error { return finding(p.store.Health()) }})
	in.Ops.AddCheck(ops.Check{Name: "owner", Run: func(context.Context) error { return p.store.Owned() }})
	return &Server{
		Services: []lifecycle.Service{
			{Name: "store", Start: p.openStore, Stop: func(context.Context) error { return p.store.Close() }, Failed: p.disowned},
			{Name: "actors", Start: p.startActors, Stop: p.stopActors},
			{Name: "clients' listener", Start: p.listen, Stop: p.stopListening, Failed: p.failed},
			{Name: "notices of accounts", Start: p.startNotices, Stop: func(ctx context.Context) error { return p.notices.close(ctx) }},
		},
		Addresses:   p.addresses,
		HasOperator: p.hasOperator,
	}, nil
}

// storeOptions returns the options of every command that opens the database.
func storeOptions(c *config.Config, log *slog.Logger) persistence.Options {
	o := persistence.DefaultSQLite(c.DatabasePath())
	if url := c.Store.DatabaseURL.Reveal(); url != "" {
		o = persistence.DefaultPostgres(url)
		o.Path, o.DatabaseDirectURL, o.PoolSize = c.DatabasePath(), c.Store.DatabaseDirect.Reveal(), c.Store.DatabaseConns
	}
	o.CommandAge, o.CommandsPerAccount, o.BreadcrumbAge = c.Store.KeepCommands, c.Store.KeepPerAccount, c.Store.KeepTracks
	o.TripAge, o.EventAge, o.AuditAge, o.PurgeEvery = c.Store.KeepTrips, c.Store.KeepTripEvents, c.Store.KeepAudit, c.Store.PruneEvery
	o.Log = log
	return o
}

func (p *parts) openStore(ctx context.Context) error {
	o := storeOptions(p.cfg, p.log)
	o.Observe, o.Own = p.metrics.commit, true
	o.Disowned = func(err error) {
		select {
		case p.disowned <- err:
		default: // one is enough
		}
	}
	o.Wait = p.cfg.Store.DatabaseWait
	o.Waits = func(c persistence.Cause) { p.ops.SetWait(string(c), "Waiting for the database. "+c.Sentence()) }
	if err := checkKey(p.cfg); err != nil {
		return err
	}
	if !p.makeMissing {
		o.Admit = admitServer(p.cfg)
	}
	var err error
	if p.store, err = persistence.Open(ctx, o); err != nil {
		return err
	}
	return p.ops.Registry.Register(storeMetrics{p.store})
}

func (p *parts) startActors(ctx context.Context) error {
	cfg := actorsConfig(p.cfg, p.log)
	cfg.Commits = p.metrics.commits.take
	if p.demo != nil { // the visitors share one operator
		cfg.OperatorSessions = max(cfg.OperatorSessions, demo.OperatorSessions)
	}
	sys, err := actors.New(cfg, p.store)
	if err != nil {
		return err
	}
	p.actors = sys
	p.ops.Registry.MustRegister(sys)
	return sys.Start(ctx)
}

func (p *parts) stopActors(ctx context.Context) error { return p.actors.Stop(ctx) }

// listen opens the clients' address: sockets and HTTP API side by side.
func (p *parts) listen(ctx context.Context) error {
	handler, err := p.handler()
	if err != nil {
		return err
	}
	p.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: p.cfg.HTTP.ReadHeaderTimeout, MaxHeaderBytes: p.cfg.HTTP.MaxHeaderBytes,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	ws.Harden(p.http)
	p.http.ConnState = clientConns(p.cfg, p.demo != nil, p.sessions.Registry().Len).State
	if p.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.HTTP.Listen); err != nil {
		return err
	}
	go func() {
		defer close(p.accepted)
		if err := p.serve(); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	}()
	return nil
}

// startNotices starts to apply what the command line does to accounts.
func (p *parts) startNotices(ctx context.Context) error {
	p.notices = &notices{store: p.store, live: live{p.sessions.Registry(), p.actors}, log: p.log}
	return p.notices.start(ctx)
}

func (p *parts) serve() error {
	if p.cfg.TLS() {
		return p.http.ServeTLS(p.listener, p.cfg.HTTP.TLSCert, p.cfg.HTTP.TLSKey)
	}
	return p.http.Serve(p.listener)
}

// stopListening accepts no more sockets, asks the open ones to reconnect later, and lets requests
// under way end.
func (p *parts) stopListening(ctx context.Context) error {
	p.api.Stop()
	drained := p.sessions.Drain(ctx)
	err := p.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, p.http.Close())
	}
	<-p.accepted
	p.auth.Close()
	return errors.Join(drained, err)
}

// handler serves everything that clients can reach.
func (p *parts) handler() (http.Handler, error) {
	keys, err := signingKeys(p.cfg)
	if err != nil {
		return nil, err
	}
	if p.auth, err = auth.New(authConfig(p.cfg, p.log), keys, p.store); err != nil {
		return nil, err
	}
	counts := session.NewMetrics()
	clients := clientsOf(p.cfg.HTTP.TrustedProxies, p.log)
	p.sessions, err = session.New(sessionConfig(p.cfg, p.demo != nil, clients, p.log, counts, p.metrics), p.auth, p.router())
	if err != nil {
		return nil, err
	}
	p.ops.Registry.MustRegister(counts)
	deps := api.Deps{
		Auth: p.auth, Accounts: p.store, Photos: p.store, Audit: p.store, Trips: p.store, Log: p.log,
		Live: live{p.sessions.Registry(), p.actors},
	}
	if p.demo != nil { // keep the interface nil, not an interface that holds nil
		deps.Demo = p.demo
	}
	cfg := apiConfig(p.cfg, clients, p.metrics)
	cfg.Trial = p.trial
	if p.api, err = api.New(cfg, deps); err != nil {
		return nil, err
	}
	return p.routes(p.api)
}

// routes puts the sockets, the HTTP API and the web app at their paths.
func (p *parts) routes(rest http.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/v1/ws", p.sessions)
	mux.HandleFunc("/healthz", p.alive)
	rest = conns.Stall(p.cfg.HTTP.AnswerTimeout, rest)
	if !p.cfg.Web.App {
		mux.Handle("/", rest)
		return mux, nil
	}
	site, err := web.New(webPolicy(p.cfg))
	if err != nil {
		return nil, err
	}
	for _, its := range []string{"/v1", "/v1/", "/openapi.json", "/openapi.yaml"} {
		mux.Handle(its, rest)
	}
	mux.Handle("/", conns.Stall(p.cfg.HTTP.AnswerTimeout, site))
	return mux, nil
}

// alive tells a load balancer whether to send clients here. It says nothing more, because it is
// public; the operations listener gives the cause.
func (p *parts) alive(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case p.sessions.Draining():
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "stopping\n") // if this fails, the client is gone
	default:
		_, _ = io.WriteString(w, "ok\n")
	}
}

// router connects the sockets to the actors, through the demonstration's host if there is one.
func (p *parts) router() transport.Router {
	if p.demo == nil {
		return router{p.actors}
	}
	p.demo.Attach(p.store)
	return p.demo.Router(router{p.actors})
}

// signingKeys reads the key that signs access tokens, or makes it at the first start.
func signingKeys(c *config.Config) (auth.Keys, error) {
	if err := os.MkdirAll(filepath.Dir(c.SigningKeyPath()), 0o700); err != nil {
		return auth.Keys{}, fmt.Errorf("directory of the signing key: %w", err)
	}
	return auth.LoadOrCreateKey(c.SigningKeyPath())
}

func (p *parts) addresses() []Address {
	at := p.listener.Addr().String()
	base, sock := "http://"+at, "ws://"+at
	if p.cfg.TLS() {
		base, sock = "https://"+at, "wss://"+at
	}
	var out []Address
	if p.cfg.Web.App {
		out = append(out, Address{What: "web app", URL: base + "/"})
	}
	return append(out,
		Address{What: "sockets", URL: sock + "/v1/ws"},
		Address{What: "HTTP API", URL: base + "/v1"},
		Address{What: "OpenAPI", URL: base + "/openapi.json"},
	)
}

func (p *parts) hasOperator(ctx context.Context) (bool, error) {
	found, _, err := p.store.ListAccounts(ctx, ride.AccountFilter{Role: ride.RoleOperator, Page: ride.Page{Limit: 1}})
	return len(found) > 0, err
}
