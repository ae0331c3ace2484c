package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// What a message may fill of the log when it comes again and again, as when a store is
// down and every trip says so.
const (
	thinWindow = 10 * time.Second
	thinMost   = 10  // records of one message in a window
	thinKinds  = 512 // messages remembered at once; they are constants of the code
)

// leftOut is the key under which a record tells how many of its kind were left out
// before it.
const leftOut = "left_out"

// thin lets only the first warnings and errors of a message pass in each window; the
// next one after it tells how many were left out. What is less than a warning passes:
// it is there to be complete.
type thin struct {
	slog.Handler
	kinds *kinds
}

func newThin(next slog.Handler) thin {
	return thin{next, &kinds{seen: make(map[kind]*burst)}}
}

// kinds is what a logger and all those derived from it have written of late.
type kinds struct {
	mu   sync.Mutex
	seen map[kind]*burst
}

type kind struct {
	level   slog.Level
	message string
}

type burst struct {
	since          time.Time
	passed, missed int
}

// pass decides whether a record passes, and how many were left out before it.
func (k *kinds) pass(r slog.Record) (ok bool, missed int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.seen[kind{r.Level, r.Message}]
	if b == nil {
		if len(k.seen) >= thinKinds {
			clear(k.seen)
		}
		b = &burst{since: r.Time}
		k.seen[kind{r.Level, r.Message}] = b
	}
	if past := r.Time.Sub(b.since); past >= thinWindow || past < 0 {
		missed = b.missed
		*b = burst{since: r.Time}
	}
	if b.passed == thinMost {
		b.missed++
		return false, 0
	}
	b.passed++
	return true, missed
}

// Handle is part of slog.Handler.
func (t thin) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		ok, missed := t.kinds.pass(r)
		if !ok {
			return nil
		}
		if missed > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int(leftOut, missed))
		}
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (t thin) WithAttrs(attrs []slog.Attr) slog.Handler {
	return thin{t.Handler.WithAttrs(attrs), t.kinds}
}

// WithGroup is part of slog.Handler.
func (t thin) WithGroup(name string) slog.Handler { return thin{t.Handler.WithGroup(name), t.kinds} }
