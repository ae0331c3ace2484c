package actors

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// MaxHistory bounds the history of one person, in bytes of protobuf, with eventFee for each event.
// JSON takes up to five times as much, and a whole replay must fit the outbox of a session: a
// client closed as too slow during its replay would reconnect for the same replay, forever.
const MaxHistory = 48 << 10

// eventFee is what an event costs besides its bytes: its frame in an outbox, the names of its empty
// fields in JSON, and its entry here.
const eventFee = 64

// history numbers a person's events and keeps the newest, so that a client that lost its socket can
// resume. It keeps them encoded in one buffer: as messages they would take five times the memory
// and many small objects. It is owned by one actor.
type history struct {
	epoch string
	seq   uint32
	limit int // of the cost
	cost  int // of the kept events

	kept []keptEvent // oldest first; the newest has the number seq
	// buf holds the protobuf forms of the kept events, from head on.
	buf  []byte
	head int
}

// keptEvent is one event of the history.
type keptEvent struct {
	at   time.Duration // since clock
	size int32         // bytes in buf
}

// clock is the origin of the monotonic times in histories.
var clock = time.Now()

func newHistory(limit int) history { return history{epoch: newEpoch(), limit: limit} }

// add numbers an event and keeps it, in place of the oldest if there is no room.
func (h *history) add(e *ridepb.Event) {
	h.seq++
	e.Epoch, e.Seq = h.epoch, h.seq
	options := proto.MarshalOptions{UseCachedSize: true}
	size := proto.Size(e)
	if size+eventFee > h.limit {
		h.clear() // the event is lost, so the client cannot resume across it
		return
	}
	n := 0
	for ; h.cost+size+eventFee > h.limit; n++ {
		h.forget(h.kept[n])
	}
	h.kept = slices.Delete(h.kept, 0, n)
	h.makeRoom(size)
	buf, err := options.MarshalAppend(h.buf, e)
	if err != nil { // text that is not UTF-8: the session cannot encode it either
		h.clear()
		return
	}
	h.buf = buf
	h.kept = append(h.kept, keptEvent{time.Since(clock), int32(size)})
	h.cost += size + eventFee
}

// forget removes the bytes and the cost of the oldest event.
func (h *history) forget(e keptEvent) {
	h.head += int(e.size)
	h.cost -= int(e.size) + eventFee
}

// clear forgets all events, but keeps the numbering.
func (h *history) clear() { h.kept, h.buf, h.head, h.cost = nil, nil, 0, 0 }

// makeRoom makes room for size more bytes without growing the buffer beyond the limit.
func (h *history) makeRoom(size int) {
	live := len(h.buf) - h.head
	switch {
	case len(h.buf)+size <= cap(h.buf):
	case live+size <= cap(h.buf):
		h.buf = h.buf[:copy(h.buf, h.buf[h.head:])]
		h.head = 0
	default:
		h.resize(min(max(2*cap(h.buf), live+size, 512), h.limit))
	}
}

// resize moves the kept events to a buffer of that capacity.
func (h *history) resize(capacity int) {
	h.buf = append(make([]byte, 0, capacity), h.buf[h.head:]...)
	h.head = 0
}

// expire forgets events older than age and releases their memory. It returns when the oldest
// remaining event expires, and false if none remain.
func (h *history) expire(age time.Duration) (next time.Duration, left bool) {
	now := time.Since(clock)
	n := 0
	for n < len(h.kept) && now-h.kept[n].at >= age {
		h.forget(h.kept[n])
		n++
	}
	if n == len(h.kept) {
		h.clear()
		return 0, false
	}
	if n > 0 {
		h.kept = append(make([]keptEvent, 0, 2*(len(h.kept)-n)), h.kept[n:]...)
	}
	if live := len(h.buf) - h.head; cap(h.buf) > 4*live {
		h.resize(2 * live)
	}
	return h.kept[0].at + age - now, true
}

// newest returns what the newest kept event of a trip says; nil: none is kept.
func (h *history) newest(trip string) *ridepb.Trip {
	to := len(h.buf)
	for _, k := range slices.Backward(h.kept) {
		e := new(ridepb.Event)
		from := to - int(k.size)
		if proto.Unmarshal(h.buf[from:to], e) != nil {
			return nil // cannot happen: it was encoded here
		}
		if t := e.GetTripUpdated().GetTrip(); t.GetId() == trip {
			return t
		}
		to = from
	}
	return nil
}

// mark stamps an event that is not part of the history with the cursor of the newest one that is.
func (h *history) mark(e *ridepb.Event) { e.Epoch, e.Seq = h.epoch, h.seq }

// since returns the events after the client's cursor, oldest first. It reports false when there is
// no cursor, or when it lies in another epoch, in the future or before the oldest kept event: then
// the client cannot resume.
func (h *history) since(r *ridepb.Resume) ([]*ridepb.Event, bool) {
	if r == nil || r.GetEpoch() != h.epoch || r.GetSeq() > h.seq {
		return nil, false
	}
	n := int(h.seq - r.GetSeq())
	if n > len(h.kept) {
		return nil, false
	}
	from, known := h.head, len(h.kept)-n
	for _, e := range h.kept[:known] {
		from += int(e.size)
	}
	out := make([]*ridepb.Event, 0, n)
	for _, k := range h.kept[known:] {
		e := new(ridepb.Event)
		if proto.Unmarshal(h.buf[from:from+int(k.size)], e) != nil {
			return nil, false // cannot happen: it was encoded here
		}
		from += int(k.size)
		out = append(out, e)
	}
	return out, true
}

// newEpoch returns a random name for a history.
func newEpoch() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
