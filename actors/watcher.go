package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/ride/ridepb"
)

const (
	// maxWatches bounds the watches that other nodes have here. Further ones get no answer, and their
	// operators see this node as missing.
	maxWatches = 1000
	// unwatchAfter is how long a watch is kept without a look. It is longer than the longest interval
	// between two looks.
	unwatchAfter = 30 * time.Second
)

// watcher answers the looks of operators on other nodes. It sends one part for each look, so its
// readers set the pace, and sends the last part again when it is asked for: nothing is queued.
type watcher struct {
	sys     *shared
	watches map[watchKey]*remoteWatch
}

// watchKey identifies a watch among those of all nodes.
type watchKey struct {
	asker  string // address and name of the operator's actor
	number uint32
}

// remoteWatch is a watch of an operator on another node.
type remoteWatch struct {
	city   *city.Watch
	last   cityPart
	looked time.Time
}

func newWatcher(s *shared) *watcher {
	return &watcher{sys: s, watches: make(map[watchKey]*remoteWatch)}
}

func (w *watcher) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case cityLook:
		if ctx.Sender() != nil {
			w.look(ctx, m)
		}
	case forgetWatches:
		w.forget(time.Now())
	}
}

// Recovered begins all watches again: one of them may be half updated.
func (w *watcher) Recovered(actor.Context) { clear(w.watches) }

func (w *watcher) look(ctx actor.Context, m cityLook) {
	now := time.Now()
	if m.Watch == 0 {
		w.answer(ctx, cityPart{Account: m.Account, Changed: &ridepb.CityChanged{Actors: w.sys.city.Actors(), Totals: w.sys.city.Totals()}})
		return
	}
	key := watchKey{ctx.Sender().String(), m.Watch}
	r := w.watches[key]
	switch {
	case r != nil && m.Received+1 == r.last.Number: // it got lost
		r.looked = now
		w.answer(ctx, r.last)
		return
	case r == nil && len(w.watches) >= maxWatches:
		return
	case r == nil || m.Received != r.last.Number:
		r = &remoteWatch{city: w.sys.city.Watch(m.Watch, m.Want)}
		w.watches[key] = r
	}
	part, more := r.city.Look(now)
	if part == nil {
		part = new(ridepb.CityChanged)
	}
	r.looked = now
	r.last = cityPart{Account: m.Account, Watch: m.Watch, Number: m.Received + 1, More: more, Changed: part}
	w.answer(ctx, r.last)
}

// answer sends a part to the asker, who thereby learns which node it is of.
func (w *watcher) answer(ctx actor.Context, part cityPart) {
	part.Up = time.Since(w.sys.city.Started())
	ctx.Request(ctx.Sender(), part)
}

// forget drops the watches at which no one has looked lately.
func (w *watcher) forget(now time.Time) {
	for key, r := range w.watches {
		if now.Sub(r.looked) > unwatchAfter {
			delete(w.watches, key)
		}
	}
}
