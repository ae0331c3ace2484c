package city

import (
	"time"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Actors returns the counts of this node's actors by kind.
func (c *City) Actors() []*ridepb.ActorKind {
	out := make([]*ridepb.ActorKind, 0, len(c.cfg.Kinds))
	for _, k := range c.cfg.Kinds {
		out = append(out, showKind(k.Report()))
	}
	return out
}

// showKind is a kind as operators see it.
func showKind(r runtime.Report) *ridepb.ActorKind {
	us := func(d time.Duration) float32 { return float32(d.Seconds() * 1e6) }
	out := &ridepb.ActorKind{
		Kind: r.Kind, Alive: uint32(r.Alive), Started: uint32(r.Spawned), Stopped: uint32(r.Stopped),
		Panics: uint32(r.Panics), Waiting: uint32(r.Waiting), DeepestMailbox: uint32(r.DeepestMailbox),
		Messages: uint32(r.Posted), MessagesPerS: float32(r.PerSecond),
		MeanUs: us(r.Mean), P50Us: us(r.P50), P99Us: us(r.P99),
	}
	for _, s := range r.Slowest {
		out.Slowest = append(out.Slowest, &ridepb.SlowHandler{Message: s.Message, TookUs: uint32(s.Took.Microseconds()), At: view.Time(s.At)})
	}
	return out
}
