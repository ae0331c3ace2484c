package actors

import (
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// maxReplay bounds what is replayed at once, in bytes of protobuf. JSON takes up to
// five times as much, and all of it must fit the outbox of a session: a client that was
// closed as slow over its replay would come back for the same, for ever.
const maxReplay = 48 << 10

// history numbers a person's events and keeps the newest of them, so that a client
// that lost its socket can resume. It belongs to one actor.
type history struct {
	epoch string
	seq   uint32
	ring  []*ridepb.Event // event n at index n modulo the length
}

func newHistory(size int) history {
	return history{epoch: newEpoch(), ring: make([]*ridepb.Event, 0, size)}
}

// add numbers an event and keeps it in place of the oldest.
func (h *history) add(e *ridepb.Event) {
	h.seq++
	e.Epoch, e.Seq = h.epoch, h.seq
	if len(h.ring) < cap(h.ring) {
		h.ring = append(h.ring, e)
		return
	}
	h.ring[int(h.seq-1)%len(h.ring)] = e
}

// mark gives an event that is not part of the history its place: after the newest.
func (h *history) mark(e *ridepb.Event) { e.Epoch, e.Seq = h.epoch, h.seq }

// since returns the events after the client's position, oldest first. It reports false
// when there is no position, or it lies in another epoch, in the future, or too far
// back, in events or in bytes: then the history is lost to the client.
func (h *history) since(r *ridepb.Resume) ([]*ridepb.Event, bool) {
	if r == nil || r.GetEpoch() != h.epoch || r.GetSeq() > h.seq {
		return nil, false
	}
	n := int(h.seq - r.GetSeq())
	if n > len(h.ring) {
		return nil, false
	}
	size := 0
	out := make([]*ridepb.Event, 0, n)
	for seq := r.GetSeq() + 1; seq <= h.seq && n > 0; seq++ {
		e := h.ring[int(seq-1)%cap(h.ring)]
		if size += proto.Size(e); size > maxReplay {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}
