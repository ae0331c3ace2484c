package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// logged is an exporter that says in the log when the collector begins to fail, and when it works
// again. The library's own handler of errors is global and says it each time.
type logged struct {
	sdktrace.SpanExporter
	log    *slog.Logger
	failed atomic.Bool
}

// ExportSpans implements sdktrace.SpanExporter.
func (l *logged) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := l.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !l.failed.Swap(true):
		l.log.Warn("traces cannot be exported, and are dropped", "error", err)
	case err == nil && l.failed.Swap(false):
		l.log.Info("traces are exported again")
	}
	return nil // it is logged
}
