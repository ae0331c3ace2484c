package session

import (
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/ws"
)

// OnMessage implements [ws.Handler].
func (s *session) OnMessage(op ws.Op, payload []byte) {
	defer s.contain()
	now := time.Now()
	if !s.frames.AllowN(now, 1) {
		s.reply("", refusal(ride.ErrTooMany, 0))
		s.Close(ridepb.CloseTooManyErrors, 0)
		return
	}
	if s.inbox != nil && op == ws.OpBinary && s.codec.Binary() && s.plain.read(payload) {
		s.h.metrics.received(kindLocation)
		s.location("", &s.plain.location, now)
		return
	}
	f, id, err := s.decode(op, payload)
	if err != nil {
		s.h.metrics.received(kindNone)
		s.refuse(id, err, 0)
		return
	}
	k := kindOf(f)
	s.h.metrics.received(k)
	if f.Id == "" && !frameSpecs[k].idFree || f.Id != "" && !validID(f.Id) {
		s.refuse(echoable(f.Id), ride.ErrIDRequired, 0)
		return
	}
	switch {
	case s.inbox == nil:
		s.first(f, k)
	case k == kindLocation:
		s.location(f.GetId(), f.GetLocation(), now)
	default:
		s.command(f, k, now)
	}
}

// contain keeps a panic from ending more than the session that caused it.
func (s *session) contain() {
	if cause := recover(); cause != nil {
		s.h.cfg.Logger.Error("session panicked", "session", s.id, "cause", cause, "stack", string(debug.Stack()))
		s.Close(ridepb.CloseInternal, s.h.retryAfter())
	}
}

// decode reads a message. With an error it returns the frame's id, as far as it
// could be read.
func (s *session) decode(op ws.Op, payload []byte) (*ridepb.ClientFrame, string, *ride.Error) {
	if (op == ws.OpBinary) != s.codec.Binary() {
		return nil, "", ride.ErrMalformed.With("This session's subprotocol is %s: text frames are for JSON, binary ones for protobuf.",
			s.codec.Subprotocol())
	}
	f, err := s.codec.DecodeClient(payload)
	if err == nil {
		return f, "", nil
	}
	var bad *wire.DecodeError
	if !errors.As(err, &bad) {
		return nil, "", ride.ErrMalformed
	}
	sentinel := ride.ErrMalformed
	if errors.Is(bad, wire.ErrInvalidValue) {
		sentinel = ride.ErrInvalidArgument
	}
	sentence := &wire.DecodeError{Name: bad.Name, Reason: bad.Reason} // the field is reported separately
	return nil, bad.ID, sentinel.With("%s.", upperFirst(sentence.Error())).In(bad.Field)
}

// location hands a position over. What exceeds the rate is dropped: the next one
// says it better.
func (s *session) location(id string, l *ridepb.Location, now time.Time) {
	if !frameSpecs[kindLocation].roles.has(s.role) {
		s.refuse(id, ride.ErrWrongRole, 0)
		return
	}
	if !s.locations.AllowN(now, 1) {
		s.h.metrics.dropped()
		return
	}
	p, bad := toPosition(l, "location")
	if bad != nil {
		s.refuse(id, bad, 0)
		return
	}
	if err := s.inbox.Location(p); err != nil {
		s.refuse(id, s.h.auth.refusal(err), 0)
		return
	}
	s.refused = 0
}

// command checks everything else and hands it over.
func (s *session) command(f *ridepb.ClientFrame, k kind, now time.Time) {
	spec := &frameSpecs[k]
	switch {
	case !s.commands.AllowN(now, 1):
		s.refuse(f.Id, ride.ErrTooMany, untilOne(s.commands, now))
		return
	case k == kindConnect:
		s.refuse(f.Id, ride.ErrConnected, 0)
		return
	case !spec.roles.has(s.role):
		s.refuse(f.Id, ride.ErrWrongRole, 0)
		return
	case k == kindPing:
		s.refused = 0
		s.reply(f.Id, &ridepb.Reply{Result: &ridepb.Reply_Pong{Pong: &ridepb.Pong{ServerTime: timestamppb.New(now)}}})
		return
	}
	if bad := spec.check(f); bad != nil {
		s.refuse(f.Id, bad, 0)
		return
	}
	if !s.unanswered.owe(f.Id, s.h.cfg.MaxInFlight, now, s.question(f, k, now)) {
		// The server determines how long replies take, so this does not count as a client's
		// mistake.
		s.reply(f.Id, refusal(ride.ErrTooMany.With("Too many messages without a reply; wait for some."), s.h.retryAfter()))
		return
	}
	s.refused = 0
	s.inbox.Command(f)
}

// refuse answers a frame with an error and ends the session if that makes sense. What the
// server cannot do right now never adds up to "too many errors, do not come back".
func (s *session) refuse(id string, err *ride.Error, retryAfter time.Duration) {
	s.reply(id, refusal(err, retryAfter))
	if !ours(err) {
		s.refused++
	}
	switch {
	case s.inbox == nil:
		s.Close(ridepb.CloseProtocolError, 0)
	case s.refused > s.h.cfg.MaxRefused:
		s.Close(ridepb.CloseTooManyErrors, 0)
	}
}

// ours reports a refusal whose cause is the server's state and not what the client sent.
func ours(err *ride.Error) bool {
	return errors.Is(err, ride.ErrUnavailable) || errors.Is(err, ride.ErrShuttingDown) || errors.Is(err, ride.ErrInternal)
}

// refusal is the wire form of an error. A retryAfter is rounded up to milliseconds.
func refusal(err *ride.Error, retryAfter time.Duration) *ridepb.Reply {
	return &ridepb.Reply{Result: &ridepb.Reply_Error{Error: &ridepb.Error{
		Code: err.Code, Message: err.Message, Field: err.Field, Retryable: err.Retryable,
		RetryAfterMs: millis(retryAfter),
	}}}
}
