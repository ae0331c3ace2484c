package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How much of the log a repeated message may fill, for example when the store is down and every
// trip reports it.
const (
	thinWindow = 10 * time.Second
	thinMost   = 10  // records of one message in a window
	thinKinds  = 512 // messages remembered at once; messages are constants in the code
)

// leftOut is the key of the number of records with this message that were dropped before.
const leftOut = "left_out"

// thin passes only the first warnings and errors with the same message in each window; the first
// one after it says how many were dropped. Records below warning always pass, because they are
// meant to be complete.
type thin struct {
	slog.Handler
	kinds *kinds
}

func newThin(next slog.Handler) thin {
	return thin{next, &kinds{seen: make(map[kind]*burst)}}
}

// kinds is what a logger and all loggers derived from it have written recently.
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

// pass decides whether a record passes, and returns how many were dropped before it.
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

// Handle implements slog.Handler.
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

// WithAttrs implements slog.Handler.
func (t thin) WithAttrs(attrs []slog.Attr) slog.Handler {
	return thin{t.Handler.WithAttrs(attrs), t.kinds}
}

// WithGroup implements slog.Handler.
func (t thin) WithGroup(name string) slog.Handler { return thin{t.Handler.WithGroup(name), t.kinds} }
