package session

import (
	"math"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

var _ transport.Outbox = (*session)(nil)

// Reply implements [transport.Outbox]. A reply that comes too late is dropped: its frame was
// refused by then.
func (s *session) Reply(r *ridepb.Reply) {
	q, inTime := s.unanswered.pay(r.GetId())
	if !inTime {
		return
	}
	if id := s.joining.Load(); id != nil && *id == r.GetId() {
		s.joining.CompareAndSwap(id, nil)
	}
	s.sendReply(r)
	s.observe(q, r)
}

// reply answers a frame that no actor has seen.
func (s *session) reply(id string, r *ridepb.Reply) {
	r.Id = id
	s.sendReply(r)
}

func (s *session) sendReply(r *ridepb.Reply) {
	data, ok := s.encode(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Reply{Reply: r}})
	if !ok {
		return
	}
	if e := r.GetError(); e != nil {
		s.h.metrics.errorSent(e.GetCode())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.conn.Send(s.op(), data) != nil {
		return
	}
	if c := r.GetConnected(); c != nil {
		s.out = cursor{c.GetEpoch(), c.GetSeq()}
	}
}

// Event implements [transport.Outbox].
func (s *session) Event(e *ridepb.Event) {
	data, ok := s.encode(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: e}})
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.conn.Send(s.op(), data) != nil {
		return
	}
	s.out = cursor{e.GetEpoch(), e.GetSeq()}
}

// Moved implements [transport.Outbox]. A waiting one is only replaced by one of
// the same seq: a later seq in an earlier one's place would tell the client that
// it has seen events which are still behind it.
func (s *session) Moved(e *ridepb.Event) {
	data, ok := s.encode(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: e}})
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		// A failed send is the connection's end, which run sees.
		_ = s.conn.SendLatest(s.moved.at(cursor{e.GetEpoch(), e.GetSeq()}), s.op(), data)
	}
}

// movedKey is the key under which waiting positions replace each other.
type movedKey struct {
	of  cursor
	key string
}

func (m *movedKey) at(c cursor) string {
	if m.key == "" || m.of != c {
		m.of, m.key = c, "moved "+c.epoch+" "+strconv.FormatUint(uint64(c.seq), 10)
	}
	return m.key
}

// Backlog implements [transport.Outbox].
func (s *session) Backlog() int { return s.conn.Queued() }

// Close implements [transport.Outbox].
func (s *session) Close(code ridepb.CloseCode, retryAfter time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	data, err := s.codec.EncodeServer(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{
		Epoch: s.out.epoch, Seq: s.out.seq,
		Body: &ridepb.Event_Disconnecting{Disconnecting: &ridepb.Disconnecting{
			CloseCode: uint32(code), Reason: code.Reason(), RetryAfterMs: millis(retryAfter),
		}},
	}}})
	if err == nil { // an epoch that does not encode was never sent
		_ = s.conn.Send(s.op(), data) // if there is no room, the close frame alone must do
	}
	s.conn.Close(ws.Code(code), code.Reason())
}

// encode writes a frame in the session's encoding. What cannot be written is a
// mistake of ours, and ends the session: its client would wait for ever.
func (s *session) encode(f *ridepb.ServerFrame) ([]byte, bool) {
	data, err := s.codec.EncodeServer(f)
	if err != nil {
		s.h.cfg.Logger.Error("frame cannot be encoded", "session", s.id, "error", err)
		s.Close(ridepb.CloseInternal, 0)
		return nil, false
	}
	return data, true
}

func (s *session) op() ws.Op {
	if s.codec.Binary() {
		return ws.OpBinary
	}
	return ws.OpText
}

// millis rounds up, so that no client comes back too early.
func millis(d time.Duration) uint32 {
	ms := (max(d, 0) + time.Millisecond - 1) / time.Millisecond
	return uint32(min(ms, math.MaxUint32))
}

// untilOne is how long l needs for its next token.
func untilOne(l *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
}
