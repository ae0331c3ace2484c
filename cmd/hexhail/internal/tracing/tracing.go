// Package tracing records each trip as one OpenTelemetry trace, whichever nodes its parts happen on.
//
// No trace context travels between clients and nodes. The ids of a trip's trace and of its root span
// follow from the trip's id, so that every node adds its spans to the same trace by itself.
package tracing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/hexhail/hexhail/ride"
)

// Config says where traces go.
type Config struct {
	// URL is that of a collector that speaks OTLP over HTTP; without a path, /v1/traces is meant.
	URL string
	// Share is the share of the trips that are traced, 0 to 1. All nodes choose the same trips.
	Share float64
	// Node and Version describe this process.
	Node, Version string
	// Log receives what operators need to know.
	Log *slog.Logger
}

// Tracer makes the spans of this process. Its methods may be called from any goroutine; none of them
// waits for the collector. What the collector does not take in time is dropped.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// New returns a Tracer that exports to a collector. Close ends it.
func New(ctx context.Context, cfg Config) (*Tracer, error) {
	at, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at))
	if err != nil {
		return nil, fmt.Errorf("export traces: %w", err)
	}
	return newTracer(cfg, sdktrace.WithBatcher(&logged{SpanExporter: exporter, log: cfg.Log})), nil
}

func newTracer(cfg Config, to sdktrace.TracerProviderOption) *Tracer {
	provider := sdktrace.NewTracerProvider(
		to,
		sdktrace.WithIDGenerator(ids{}),
		sdktrace.WithSampler(sdktrace.TraceIDRatioBased(cfg.Share)),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "hexhail"),
			attribute.String("service.version", cfg.Version),
			attribute.String("service.instance.id", cfg.Node),
		)),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/hexhail/hexhail")}
}

// endpoint completes the URL of a collector.
func endpoint(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("export traces: %q is not the http or https URL of a collector", text)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}

// Close exports what is left, until the context ends, and then stops.
func (t *Tracer) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("export the last traces: %w", err)
	}
	return nil
}

// traceOf returns the ids of a trip's trace and of its root span.
func traceOf(trip ride.TripID) (trace.TraceID, trace.SpanID) {
	sum := sha256.Sum256([]byte(trip))
	return trace.TraceID(sum[:16]), trace.SpanID(sum[16:24])
}

// span records something that belongs to a trip and is over. The context is that of no request.
func (t *Tracer) span(trip ride.TripID, name string, from, until time.Time, failed error, attributes ...attribute.KeyValue) {
	id, root := traceOf(trip)
	parent := trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: root}))
	t.record(parent, trip, name, from, until, failed, attributes)
}

// root records the whole of a trip.
func (t *Tracer) root(trip ride.TripID, from, until time.Time, attributes ...attribute.KeyValue) {
	t.record(context.WithValue(context.Background(), rootKey{}, trip), trip, "trip", from, until, nil, attributes)
}

func (t *Tracer) record(ctx context.Context, trip ride.TripID, name string, from, until time.Time, failed error, attributes []attribute.KeyValue) {
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attributes...),
		trace.WithAttributes(attribute.String("hexhail.trip", string(trip))))
	if failed != nil {
		span.SetStatus(codes.Error, failed.Error())
	}
	span.End(trace.WithTimestamp(until))
}

// rootKey is the context key under which the ids of a root span are asked for.
type rootKey struct{}

// ids gives root spans the ids that follow from their trip, and all others random ones.
type ids struct{}

func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	trip, _ := ctx.Value(rootKey{}).(ride.TripID)
	return traceOf(trip)
}

func (ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		n := rand.Uint64()
		for i := range id {
			id[i] = byte(n >> (8 * i))
		}
	}
	return id
}
