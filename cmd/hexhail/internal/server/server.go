// Package server assembles Hexhail: the one place where the store, the actors, the
// sockets and the HTTP API meet.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/citymap"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/drives"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/learning"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/routers"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/servertls"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/tracing"
	"github.com/hexhail/hexhail/geo/streets"
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
	_ auth.Tickets = (*persistence.Store)(nil)
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
	streets  *streets.City // without a map until openStreets, and perhaps after
	cityMap  *citymap.Keeper
	drives   *drives.Drives     // nil: straight lines
	others   *routers.Router    // the server at route-url; nil: there is none
	mapped   bool               // there is a map of the streets, or will be
	learning *learning.Learning // nil: travel times are not learned
	keys     auth.Keys
	actors   *actors.System
	auth     *auth.Service
	sessions *session.Handler
	notices  *notices
	api      *api.API
	http     *http.Server
	listener net.Listener
	tls      servertls.Certificates // nil: clients do not speak TLS to this server
	failed   chan error
	disowned chan error
	node     *clusterNode    // nil: this server is alone
	traces   *tracing.Tracer // nil: nothing is traced
	moves    bool            // it stops, and its clients go on at other nodes
	version  string
	accepted chan struct{} // closed when the accept loop has ended
}

// Assemble makes the services of a server, without starting any.
func Assemble(_ context.Context, in Base) (*Server, error) {
	p := &parts{
		cfg: in.Config, log: in.Log, ops: in.Ops, demo: in.Demo, trial: in.Trial, makeMissing: in.MakeMissing || in.Demo != nil, metrics: newMetrics(),
		failed: make(chan error, 1), disowned: make(chan error, 1), accepted: make(chan struct{}),
		streets: new(streets.City),
	}
	if err := p.keepStreets(in); err != nil {
		return nil, err
	}
	in.Ops.Registry.MustRegister(p.metrics)
	in.Ops.AddCheck(ops.Check{Name: "database", Run: func(context.Context) error { return finding(p.store.Health()) }})
	in.Ops.AddCheck(ops.Check{Name: "owner", Run: func(context.Context) error { return p.store.Owned() }})
	in.Ops.AddCheck(ops.Check{Name: "accounts", Run: func(context.Context) error { return p.notices.state.finding(time.Now()) }})
	in.Ops.AddCheck(ops.Check{Name: "clock", Run: func(context.Context) error { return clockFinding(p.store.Clock()) }})
	in.Ops.AddCheck(ops.Check{Name: "certificate", Run: p.checkCertificate})
	p.version = in.Version
	if p.cfg.Cluster.Registry != "" {
		p.node = &clusterNode{cfg: p.cfg, log: p.log, exit: in.Exit, version: in.Version, joined: make(chan struct{})}
		if in.Exit == nil {
			p.node.exit = os.Exit
		}
		in.Ops.SetCluster(p.clusterStatus)
		in.Ops.AddCheck(ops.Check{Name: "cluster", Run: func(context.Context) error { return p.node.finding() }})
	}
	return &Server{
		Services: []lifecycle.Service{
			{Name: "store", Start: p.openStore, Stop: func(context.Context) error { return p.store.Close() }, Failed: p.disowned},
			{Name: "streets", Start: p.openStreets, Stop: p.closeStreets},
			{Name: "learning", Start: p.startLearning, Stop: p.stopLearning},
			{Name: "traces", Start: p.startTraces, Stop: p.stopTraces},
			{Name: "nodes' listener", Start: p.listenToNodes, Stop: p.leaveNodes},
			{Name: "actors", Start: p.startActors, Stop: p.stopActors},
			{Name: "clients' listener", Start: p.listen, Stop: p.stopListening, Failed: p.failed},
			{Name: "notices of accounts", Start: p.startNotices, Stop: func(ctx context.Context) error { return p.notices.close(ctx) }},
			{Name: "cluster", Start: p.join, Stop: p.leave},
		},
		Addresses:   p.addresses,
		HasOperator: p.hasOperator, ReloadStreets: p.reloadStreets,
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
	o.Observe, o.Own, o.Member = p.metrics.commit, true, p.node != nil
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
	if p.keys, err = p.loadKeys(ctx); err != nil {
		return errors.Join(err, p.store.Close())
	}
	return p.ops.Registry.Register(storeMetrics{p.store})
}

// loadKeys reads the keys of access tokens. The embedded database has one server, and so has a
// demonstration: theirs need no agreement.
func (p *parts) loadKeys(ctx context.Context) (auth.Keys, error) {
	if p.cfg.Store.DatabaseURL == "" || p.demo != nil {
		return signingKeys(p.cfg)
	}
	return sharedKeys(ctx, p.cfg, p.store, p.makeMissing)
}

func (p *parts) startActors(ctx context.Context) error {
	cfg := actorsConfig(p.cfg, p.log)
	if p.drives != nil {
		cfg.ETA, cfg.BesideDriving, cfg.Detour = p.drives, p.besideDriving, p.detour
	}
	if p.mapped {
		cfg.Matcher = p.streets
	}
	if p.others != nil {
		cfg.EstimatesAtOnce = max(cfg.EstimatesAtOnce, routers.AtOnce) // they wait for the network, not for a processor
	}
	cfg.FastestMPS = p.fastestMPS()
	if p.learning != nil {
		cfg.Ended = p.learning.Ended
	}
	cfg.Commits = p.metrics.commits.take
	if p.demo != nil { // the visitors share one operator
		cfg.OperatorSessions = max(cfg.OperatorSessions, demo.OperatorSessions)
	}
	if p.node != nil {
		cfg.Cluster = &actors.Cluster{Self: p.node.link.Self(), Link: p.node.link, Describe: p.node.describe, Dropped: p.node.dropped}
	}
	sys, err := actors.New(cfg, p.tracedStore())
	if err != nil {
		return err
	}
	p.actors = sys
	if p.node != nil {
		p.node.actors = sys
		p.node.link.Deliver(sys.Receive)
	}
	p.ops.Registry.MustRegister(sys)
	return sys.Start(ctx)
}

// fastestMPS is a speed along the straight line, in metres per second, that no estimate of a way exceeds; 0:
// another server estimates, and none is known.
func (p *parts) fastestMPS() float64 {
	crow := p.cfg.Map.ETASpeed / p.cfg.Map.ETADetour
	switch {
	case p.others != nil:
		return 0
	case p.drives != nil: // where the map has no way, the straight line counts
		return max(crow, streets.FastestKmh) / 3.6
	}
	return crow / 3.6
}

// listenToNodes opens the address for the other nodes, if there are any.
func (p *parts) listenToNodes(context.Context) error {
	if p.node == nil {
		return nil
	}
	p.node.store = p.store
	return p.node.listen(p.ops.Registry)
}

// leaveNodes ends the links to other nodes.
func (p *parts) leaveNodes(ctx context.Context) error {
	if p.node == nil {
		return nil
	}
	return p.node.close(ctx)
}

// join makes this server a member of its cluster, if there is one. It is last, so that the others hand
// it no trip that it cannot serve yet.
func (p *parts) join(context.Context) error {
	if p.node == nil {
		return nil
	}
	if err := p.node.join(p.version, p.mapID); err != nil {
		return err
	}
	return p.ops.Registry.Register(p.node)
}

// leave is the first step of a stop.
func (p *parts) leave(ctx context.Context) error {
	if p.node == nil {
		return nil
	}
	return p.node.leave(ctx)
}

// handOverWithin bounds how long a node that leaves waits for the people whose sockets it has closed to
// come back elsewhere.
const handOverWithin = 3 * time.Second

// stopActors stops them, in a cluster once other nodes have taken over the people here, or have had
// the time to.
func (p *parts) stopActors(ctx context.Context) error {
	if p.moves {
		p.actors.HandOver(ctx, handOverWithin)
	}
	return p.actors.Stop(ctx)
}

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
	if err := p.certify(); err != nil {
		return errors.Join(err, p.listener.Close())
	}
	go func() {
		defer close(p.accepted)
		if err := p.serve(); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	}()
	return nil
}

// startNotices starts to apply what other servers and the command line do to accounts.
func (p *parts) startNotices(ctx context.Context) error {
	p.notices = newNotices(p.store, live{p.sessions.Registry(), p.actors}, p.log)
	p.ops.Registry.MustRegister(p.notices)
	return p.notices.start(ctx)
}

func (p *parts) serve() error {
	if p.tls != nil {
		return p.http.ServeTLS(p.listener, "", "")
	}
	return p.http.Serve(p.listener)
}

// stopListening accepts no more sockets, asks the open ones to reconnect later, or one after the other
// at other nodes, and lets requests under way end.
func (p *parts) stopListening(ctx context.Context) error {
	p.api.Stop()
	p.moves = p.node != nil && p.sessions.Registry().Len() > 0 && p.node.accompanied()
	drain := p.sessions.Drain
	if p.moves {
		drain = func(ctx context.Context) error { return p.sessions.Move(ctx, p.cfg.Shutdown.Grace/3) }
	}
	drained := drain(ctx)
	err := p.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, p.http.Close())
	}
	<-p.accepted
	if p.tls != nil {
		p.tls.Stop()
	}
	p.auth.Close()
	return errors.Join(drained, err)
}

// handler serves everything that clients can reach.
func (p *parts) handler() (http.Handler, error) {
	people := authConfig(p.cfg, p.log)
	if p.cfg.Store.DatabaseURL != "" {
		people.Tickets = p.store
	}
	var err error
	if p.auth, err = auth.New(people, p.keys, p.store); err != nil {
		return nil, err
	}
	counts := session.NewMetrics()
	clients := clientsOf(p.cfg.HTTP.TrustedProxies, p.log)
	sockets := sessionConfig(p.cfg, p.demo != nil, clients, p.log, counts, p.metrics)
	if p.traces != nil {
		sockets.Answered = p.traces.Answered
	}
	p.sessions, err = session.New(sockets, p.auth, p.router())
	if err != nil {
		return nil, err
	}
	p.ops.Registry.MustRegister(counts)
	deps := api.Deps{
		Auth: p.auth, Accounts: p.store, Photos: p.store, Audit: p.store, Trips: p.store, Log: p.log,
		Streets: p.streets, CityMap: cityMap{p}, Live: live{p.sessions.Registry(), p.actors},
	}
	if p.learning != nil {
		deps.Speeds = p.store
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
	if err := p.wellKnown(mux); err != nil {
		return nil, err
	}
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
	p.demo.Direct(p.actors)
	return p.demo.Router(router{p.actors})
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
