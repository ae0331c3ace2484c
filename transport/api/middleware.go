package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/clientaddr"
	"github.com/hexhail/hexhail/transport/problem"
)

// call is what is known of one request. Its goroutine owns it.
type call struct {
	id      string
	addr    string // the client's
	route   string // pattern of the route, empty for none
	account ride.AccountID
	request *http.Request
	writer  http.ResponseWriter
}

type callKey struct{}

// callOf finds the call of a request; every request that reaches an operation has one.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

func requestID(ctx context.Context) string { return callOf(ctx).id }

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := a.cfg.Now()
	c := &call{id: rand.Text(), addr: a.cfg.ClientAddr(r)}
	rec := &recorder{ResponseWriter: w}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), callKey{}, c), a.timeout(r))
	defer cancel()
	r = r.WithContext(ctx)
	defer func() {
		a.finish(ctx, c, rec, r.Method, a.cfg.Now().Sub(start))
	}()
	defer a.recovered(ctx, rec)
	a.headers(rec.Header(), c.id)
	if a.cors(rec, r) {
		return
	}
	limit := a.limitAddress
	if drawsMap(r.URL.Path) {
		limit = a.limitTiles
	}
	if err := limit.allow(clientaddr.NetworkOf(c.addr)); err != nil {
		problem.Of(err).Write(rec)
		return
	}
	a.route(c, rec, r)
}

// timeout gives uploads the time to arrive.
func (a *API) timeout(r *http.Request) time.Duration {
	switch r.URL.Path {
	case exportPath, tripsExportPath, sourceFilePath:
		return exportWithin
	}
	ct := r.Header.Get("Content-Type")
	if strings.HasPrefix(ct, "image/") || strings.HasPrefix(ct, "multipart/") {
		return a.cfg.Timeout + uploadTime
	}
	return a.cfg.Timeout
}

// route finds the operation; what has none gets a problem too, unlike from the mux.
func (a *API) route(c *call, w *recorder, r *http.Request) {
	h, pattern := a.mux.Handler(r)
	if path.Clean(r.URL.Path) != r.URL.Path { // the mux would redirect, in HTML
		h, pattern = http.NotFoundHandler(), ""
	}
	if c.route = pattern; pattern != "" {
		r.Body = http.MaxBytesReader(w, r.Body, maxUploadBytes)
		a.mux.ServeHTTP(w, r)
		return
	}
	// The mux's own answer tells a wrong method from a wrong path.
	probe := &silent{header: http.Header{}}
	h.ServeHTTP(probe, r)
	p := problem.New(ride.ErrNotFound.With("There is nothing at this address."), http.StatusNotFound)
	if probe.status == http.StatusMethodNotAllowed {
		p = problem.New(ride.ErrMalformed.With("This address does not support this method."), probe.status)
		w.Header()["Allow"] = probe.header["Allow"]
	}
	p.Write(w)
}

// silent is a response that no client reads.
type silent struct {
	header http.Header
	status int
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
func (s *silent) WriteHeader(status int)      { s.status = status }

// recovered turns a panic into a problem that reveals nothing. It re-panics http.ErrAbortHandler.
func (a *API) recovered(ctx context.Context, w *recorder) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	a.deps.Log.LogAttrs(ctx, slog.LevelError, "panic in an operation", slog.String("request_id", requestID(ctx)),
		slog.String("panic", fmt.Sprintf("%.200v", v)), slog.String("stack", string(debug.Stack())))
	if w.status == 0 {
		problem.Of(ride.ErrInternal).Write(w)
	}
}

// finish logs a request: its route and not its path, no names, no tokens.
func (a *API) finish(ctx context.Context, c *call, w *recorder, method string, took time.Duration) {
	if !slices.Contains(corsMethods, method) {
		method = "other" // a method is the client's own text
	}
	level := slog.LevelInfo
	if c.route == "GET "+tilePath && w.status < 400 { // dozens for each view of a map
		level = slog.LevelDebug
	}
	a.deps.Log.LogAttrs(ctx, level, "http",
		slog.String("request_id", c.id), slog.String("method", method), slog.String("route", c.route),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", took),
		slog.String("addr", c.addr), slog.String("account", string(c.account)))
	if a.cfg.Observe != nil {
		a.cfg.Observe(c.route, w.status, took)
	}
}

// headers are those of every answer; an operation may loosen some.
func (a *API) headers(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if a.cfg.HSTS > 0 {
		h.Set("Strict-Transport-Security", "max-age="+strconv.Itoa(int(a.cfg.HSTS.Seconds()))+"; includeSubDomains")
	}
}

var corsMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// cors lets pages of listed origins call the API; it reports whether it answered. No
// credentials are allowed: browsers have none of ours to add.
func (a *API) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if len(a.cfg.CORSOrigins) == 0 || origin == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !slices.Contains(a.cfg.CORSOrigins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
