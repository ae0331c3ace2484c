package tracing

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/session"
)

// commits is a store that answers commits.
type commits struct {
	actors.Store
	err error
}

func (c commits) Commit(context.Context, ride.Transition) error { return c.err }

// node is a Tracer and what it exports.
func node(t *testing.T, name string, share float64) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	to := tracetest.NewInMemoryExporter()
	tracer := newTracer(Config{Share: share, Node: name, Version: "v1"}, sdktrace.WithSyncer(to))
	t.Cleanup(func() { require.NoError(t, tracer.Close(context.WithoutCancel(t.Context()))) })
	return tracer, to
}

var begin = time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)

func after(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }

// finished is the last transition of a ride that was offered twice.
func finished(id ride.TripID) ride.Transition {
	return ride.Transition{
		Trip: &ride.Trip{
			ID: id, Version: 9, Status: ride.StatusCompleted, Request: ride.Request{Class: "standard"},
			Offers:      []ride.Offer{{}, {}},
			RequestedAt: begin, MatchedAt: after(10), ArrivedAt: after(200), StartedAt: after(230), EndedAt: after(900),
		},
		Prev: 8, Events: []ride.Event{ride.Completed{At: after(900)}},
	}
}

func named(spans tracetest.SpanStubs) map[string]tracetest.SpanStub {
	out := make(map[string]tracetest.SpanStub)
	for _, s := range spans {
		out[s.Name] = s
	}
	return out
}

// TestTrip: what two nodes record of a trip is one trace, whose root is the whole trip.
func TestTrip(t *testing.T) {
	const id = ride.TripID("01a22948-891b-7886-b2f7-8086c00dc995")
	owner, atOwner := node(t, "a", 1)
	drivers, atDrivers := node(t, "b", 1)

	store := owner.Store(commits{})
	require.NoError(t, store.Commit(t.Context(), ride.Transition{
		Trip: &ride.Trip{ID: id, Version: 3, Status: ride.StatusMatched}, Prev: 2, Events: []ride.Event{ride.Matched{At: after(10)}},
		Offers: []ride.OfferRow{
			{Trip: id, Offer: ride.Offer{ID: ride.NewOfferID(id, 1), MadeAt: after(2), State: ride.OfferWon, Wave: 1, ETA: time.Minute}},
			{Trip: id, Offer: ride.Offer{ID: ride.NewOfferID(id, 2), MadeAt: after(2), State: ride.OfferOpen}},
		},
	}))
	drivers.Answered(session.Answered{
		Command: "accept_offer", Trip: id, Role: ride.RoleDriver, Encoding: "json", Code: "offer_closed", ReceivedAt: after(9), RepliedAt: after(10),
	})
	require.NoError(t, store.Commit(t.Context(), finished(id)))

	trace, root := traceOf(id)
	spans := append(atOwner.GetSpans(), atDrivers.GetSpans()...)
	for _, s := range spans {
		require.Equal(t, trace, s.SpanContext.TraceID(), s.Name)
		if s.Name == "trip" {
			require.Equal(t, root, s.SpanContext.SpanID())
			require.False(t, s.Parent.IsValid())
			continue
		}
		require.Equal(t, root, s.Parent.SpanID(), s.Name)
	}
	by := named(spans)
	for name, at := range map[string][2]int{
		"offer": {2, 10}, "search": {0, 10}, "pickup": {10, 200}, "boarding": {200, 230}, "ride": {230, 900}, "trip": {0, 900}, "accept_offer": {9, 10},
	} {
		require.Contains(t, by, name)
		require.Equal(t, [2]time.Time{after(at[0]), after(at[1])}, [2]time.Time{by[name].StartTime, by[name].EndTime}, name)
	}
	require.Len(t, spans, 9, "two commits, one offer that ended, a command, four phases and the trip")
	require.Equal(t, "offer_closed", by["accept_offer"].Status.Description)
	require.Contains(t, by["accept_offer"].Resource.String(), "service.instance.id=b")
}

// TestEndsEarly: a trip that ends before its ride has the phases that it came to.
func TestEndsEarly(t *testing.T) {
	tracer, to := node(t, "a", 1)
	tracer.committed(ride.Transition{
		Trip:   &ride.Trip{ID: "t", Version: 4, Status: ride.StatusCancelled, RequestedAt: begin, MatchedAt: after(10), EndedAt: after(50)},
		Events: []ride.Event{ride.Cancelled{At: after(50)}},
	}, after(50), after(51), nil)
	by := named(to.GetSpans())
	require.Equal(t, after(50), by["pickup"].EndTime)
	require.NotContains(t, by, "boarding")
	require.Contains(t, by, "trip")
}

// TestRatingAddsNoRoot: what follows the end of a trip does not end it once more.
func TestRatingAddsNoRoot(t *testing.T) {
	tracer, to := node(t, "a", 1)
	change := finished("t")
	change.Events = []ride.Event{ride.Rated{At: after(950)}}
	tracer.committed(change, after(950), after(951), nil)
	require.Len(t, to.GetSpans(), 1)
}

// TestFailedCommit: the error stays the caller's, and nothing is recorded as having happened.
func TestFailedCommit(t *testing.T) {
	tracer, to := node(t, "a", 1)
	require.ErrorIs(t, tracer.Store(commits{err: ride.ErrStale}).Commit(t.Context(), finished("t")), ride.ErrStale)
	require.NoError(t, tracer.Store(commits{}).Commit(t.Context(), ride.Transition{}), "a refusal without a trip")
	spans := to.GetSpans()
	require.Len(t, spans, 1)
	require.Equal(t, ride.ErrStale.Error(), spans[0].Status.Description)
}

// TestShare: nodes trace the same trips, about as many as they should.
func TestShare(t *testing.T) {
	a, atA := node(t, "a", 0.25)
	b, atB := node(t, "b", 0.25)
	const trips = 2000
	for i := range trips {
		id := ride.NewOfferID("trip", i+1) // any distinct text
		a.span(ride.TripID(id), "x", begin, begin, nil)
		b.span(ride.TripID(id), "x", begin, begin, nil)
	}
	require.InDelta(t, trips/4, len(atA.GetSpans()), trips/10)
	require.Len(t, atB.GetSpans(), len(atA.GetSpans()))
	for i, s := range atA.GetSpans() {
		require.Equal(t, s.SpanContext.TraceID(), atB.GetSpans()[i].SpanContext.TraceID())
	}
}

// TestCollector: spans reach the collector's usual path; one that fails is mentioned once, and Close
// does not wait for it longer than it may.
func TestCollector(t *testing.T) {
	var fail atomic.Bool
	arrived := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if fail.Load() {
			w.WriteHeader(http.StatusBadRequest)
		}
		arrived <- r.URL.Path
	}))
	defer collector.Close()
	var log syncBuffer
	tracer, err := New(t.Context(), Config{URL: collector.URL, Share: 1, Node: "a", Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)

	tracer.span("t", "x", begin, after(1), nil)
	require.NoError(t, tracer.provider.ForceFlush(t.Context()))
	require.Equal(t, "/v1/traces", <-arrived)
	fail.Store(true)
	for range 3 {
		tracer.span("t", "x", begin, after(1), nil)
		require.NoError(t, tracer.provider.ForceFlush(t.Context()))
		<-arrived
	}
	require.Equal(t, 1, strings.Count(log.String(), "cannot be exported"), log.String())
	fail.Store(false)
	tracer.span("t", "x", begin, after(1), nil)
	require.NoError(t, tracer.Close(t.Context()), "what is left is exported")
	require.Equal(t, "/v1/traces", <-arrived)
	require.Contains(t, log.String(), "exported again")
}

// TestCollectorThatHangs: a stop takes no longer than it may.
func TestCollectorThatHangs(t *testing.T) {
	release := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer collector.Close()
	defer close(release)
	tracer, err := New(t.Context(), Config{URL: collector.URL, Share: 1, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	tracer.span("t", "x", begin, after(1), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := tracer.Close(ctx); err != nil {
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	}
}

// TestEndpoint: a collector's address may have a path; what is no address is refused.
func TestEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:4318":      "http://127.0.0.1:4318/v1/traces",
		"https://traces.example/":    "https://traces.example/v1/traces",
		"https://traces.example/api": "https://traces.example/api",
	} {
		got, err := endpoint(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "127.0.0.1:4318", "ftp://x", "http://"} {
		_, err := endpoint(bad)
		require.Error(t, err, bad)
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
