// Package ops is the second listener: metrics, health and profiles, for operators and their
// monitoring. It has no authentication, so keep it on the loopback interface or on a private
// network.
package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hexhail/hexhail/transport/ws"
)

// Options configure the listener.
type Options struct {
	// Listen is HOST:PORT; port 0 picks a free one.
	Listen string
	// AllowedHosts are the names to which it answers, besides IP addresses and localhost.
	AllowedHosts []string
	Log          *slog.Logger
	// Build is reported by hexhail_build_info.
	Build Build
}

// Build identifies the source of a binary.
type Build struct {
	Version, Commit string // empty: unknown
}

// info is a metric that is always 1; its labels identify the build.
func (b Build) info() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hexhail_build_info", Help: "The build of this program; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Server is the operations listener. Make it with New, add checks, then Start it.
type Server struct {
	// Registry is where every part of the process registers its metrics.
	Registry *prometheus.Registry

	o       Options
	ready   readiness
	status  func() any // of the cluster; nil: there is none
	reload  Reload     // of the map of the streets; nil: there is nothing to load again
	origins *http.CrossOriginProtection
	http    *http.Server
	addr    net.Addr
	done    chan struct{} // closed when the accept loop has ended
	failed  chan error
}

// New makes a server with the Go runtime's and the process's metrics registered.
func New(o Options) *Server {
	s := &Server{Registry: prometheus.NewRegistry(), o: o, origins: http.NewCrossOriginProtection(), done: make(chan struct{}), failed: make(chan error, 1)}
	s.Registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		o.Build.info(),
	)
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	ws.Harden(s.http) // the same bounds on headers as for clients
	return s
}

// AddCheck adds a named condition of readiness. It runs on each request for /readyz, concurrently
// with the others and with its own deadline. Call it before Start.
func (s *Server) AddCheck(c Check) { s.ready.checks = append(s.ready.checks, c) }

// SetCluster sets what describes the cluster while the server runs; without it there is none. Call it
// before Start.
func (s *Server) SetCluster(status func() any) { s.status = status }

// Reload loads something again, and says in a sentence what became of it.
type Reload func(ctx context.Context) (done string, err error)

// SetReload sets what POST /streets/reload does while the server runs. Call it before Start.
func (s *Server) SetReload(do Reload) { s.reload = do }

// reloadStreets loads the map of the streets again. It answers when that is done, however long it takes.
func (s *Server) reloadStreets(w http.ResponseWriter, r *http.Request) {
	if s.reload == nil || State(s.ready.state.Load()) != Running {
		http.Error(w, "this server is starting or stopping", http.StatusServiceUnavailable)
		return
	}
	// The listener's limit is one for requests that are read, not for this work. A writer without
	// deadlines is one of a test.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	done, err := s.reload(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, done)
}

// cluster describes the cluster as this node sees it.
func (s *Server) cluster(w http.ResponseWriter, _ *http.Request) {
	if s.status == nil {
		http.Error(w, "this server is not part of a cluster", http.StatusNotFound)
		return
	}
	if State(s.ready.state.Load()) != Running {
		http.Error(w, "this server is starting or stopping", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.status()) // if this fails, the client is gone
}

// SetState sets the state that /readyz reports: only Running can be ready. Safe for concurrent use.
func (s *Server) SetState(st State) { s.ready.state.Store(int32(st)) }

// SetWait sets what /readyz reports a start to be waiting for. Safe for concurrent use.
func (s *Server) SetWait(cause, text string) { s.ready.wait.Store(&Finding{Cause: cause, Text: text}) }

// Start opens the listener. It fails when the address is taken.
func (s *Server) Start(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.o.Listen)
	if err != nil {
		return fmt.Errorf("operations listener: %w", err)
	}
	s.addr = l.Addr()
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		s.o.Log.Warn("THE OPERATIONS LISTENER IS OPEN TO OTHER MACHINES, and it has no authentication: "+
			"profiles can slow the server down and reveal its memory. Make it reachable only from a private network.", "listen", l.Addr().String())
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return nil
}

// Addr is where the server listens, once Start has returned nil.
func (s *Server) Addr() net.Addr { return s.addr }

// Failed receives an error if the server cannot continue.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop lets requests finish until ctx ends, then cuts them off.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.done
	return err
}

// Handler serves the paths; Start uses it too.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelError), Registry: s.Registry,
		MaxRequestsInFlight: 4, Timeout: 10 * time.Second, EnableOpenMetrics: true,
	}))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /cluster", s.cluster)
	mux.HandleFunc("POST /streets/reload", s.reloadStreets)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /{$}", index)
	return s.guard(mux)
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "Hexhail operations\n\n/metrics\n/healthz\n/readyz\n/cluster\n/debug/pprof/\n")
}

// guard refuses requests from a web page whose own host name resolves to this server (DNS
// rebinding), and requests that a browser marks as coming from another site.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hostAllowed(r.Host) {
			http.Error(w, "unknown Host; see ops-allowed-hosts", http.StatusMisdirectedRequest)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			http.Error(w, "not for other sites", http.StatusForbidden)
			return
		}
		// Browsers too old to say where a request comes from name the origin of what changes something.
		if err := s.origins.Check(r); err != nil {
			http.Error(w, "not for other sites", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || name == "localhost" {
		return true
	}
	return slices.ContainsFunc(s.o.AllowedHosts, func(a string) bool { return strings.EqualFold(a, name) })
}
