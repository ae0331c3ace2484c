package actors

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// breadcrumbs gathers recorded positions and writes them in batches, off every actor's path. When
// the store lags, the newest are dropped and counted: a gap in a track is better than a late offer.
type breadcrumbs struct {
	cfg   Config
	store Store
	stats *stats
	queue chan ride.Breadcrumb
}

const (
	crumbQueue = 16_384
	crumbBatch = 2_000
)

func newBreadcrumbs(cfg Config, store Store, s *stats) *breadcrumbs {
	return &breadcrumbs{cfg: cfg, store: store, stats: s, queue: make(chan ride.Breadcrumb, crumbQueue)}
}

// add never blocks; safe for concurrent use.
func (b *breadcrumbs) add(c ride.Breadcrumb) {
	select {
	case b.queue <- c:
	default:
		b.stats.crumbs.WithLabelValues(crumbDropped).Inc()
	}
}

// run writes batches until the context ends, then writes the rest.
func (b *breadcrumbs) run(ctx context.Context) {
	tick := time.NewTicker(b.cfg.BreadcrumbEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			b.flush()
			return
		case <-tick.C:
			b.flush()
		}
	}
}

// flush writes everything queued, in batches; a batch that cannot be written is dropped.
func (b *breadcrumbs) flush() {
	for len(b.queue) > 0 {
		batch := make([]ride.Breadcrumb, 0, min(len(b.queue), crumbBatch))
		for len(batch) < cap(batch) {
			batch = append(batch, <-b.queue)
		}
		c, cancel := context.WithTimeout(context.Background(), b.cfg.StoreTimeout)
		err := b.store.AddBreadcrumbs(c, batch)
		cancel()
		result := crumbWritten
		if err != nil {
			result = crumbDropped
			b.cfg.Log.Warn("breadcrumbs cannot be written", "count", len(batch), "error", err)
		}
		b.stats.crumbs.WithLabelValues(result).Add(float64(len(batch)))
		if err != nil {
			return
		}
	}
}
