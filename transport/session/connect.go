package session

import (
	"context"
	"errors"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
)

// first takes the message that has to be connect. The client's further frames wait
// in the kernel until the session is joined or refused.
func (s *session) first(f *ridepb.ClientFrame, k kind) {
	if k != kindConnect {
		s.refuse(f.Id, ride.ErrNotConnected, 0)
		return
	}
	if bad := frameSpecs[kindConnect].check(f); bad != nil {
		s.refuse(f.Id, bad, 0)
		return
	}
	if !s.enter(connecting, time.Time{}) {
		return
	}
	connect := f.GetConnect()
	s.client = loggable(connect.GetClient())
	cred, err := s.authenticate(connect)
	if err == nil {
		err = s.join(f.Id, connect.GetResume(), cred)
	}
	if err != nil {
		s.turnAway(f.Id, err)
	}
}

// authenticate finds out who connects: by the connect message's credentials or
// those of the handshake. If there are both, they must be of one account.
func (s *session) authenticate(c *ridepb.Connect) (*credential, *ride.Error) {
	cred := &credential{mark: s.h.registry.mark()}
	field := "connect.token"
	var err *ride.Error
	switch {
	case c.GetToken() != "" && c.GetTicket() != "":
		return nil, ride.ErrInvalidArgument.With("Give a token or a ticket, not both.").In("connect.ticket")
	case c.GetToken() != "":
		cred.Principal, err = s.h.auth.token(s.h.ctx, c.GetToken())
	case c.GetTicket() != "":
		field = "connect.ticket"
		cred.Principal, err = s.h.auth.ticket(s.h.ctx, c.GetTicket())
	case s.header != nil:
		return s.header, s.h.auth.vet(s.header.Principal)
	default:
		return nil, ride.ErrUnauthenticated
	}
	if err == nil && s.header != nil && s.header.Account.ID != cred.Account.ID {
		err = ride.ErrInvalidArgument.With("These credentials are of another account than those of the handshake.").In(field)
	}
	return cred, err
}

// join makes the session its account's and hands it to the actor, which replies
// to connect.
func (s *session) join(id string, resume *ridepb.Resume, cred *credential) *ride.Error {
	account := cred.Account
	if code := s.h.registry.bind(s, account.ID, logInOf(cred.Principal, time.Now()), cred.mark); code != 0 {
		s.reply(id, refusal(revoked(code), 0))
		s.Close(code, 0)
		return nil
	}
	if !s.enter(live, cred.ExpiresAt) {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.h.ctx, s.h.cfg.JoinTimeout)
	defer cancel()
	s.joining.Store(&id)
	s.unanswered.owe(id, s.h.cfg.MaxInFlight, time.Now(), nil) // the reply to connect comes by the outbox, too
	inbox, err := s.h.router.Join(ctx, transport.Join{
		Principal: cred.Principal, SessionID: s.id, ConnectID: id, Resume: resume, Out: s,
	})
	if err != nil {
		s.unanswered.pay(id)
		return s.h.auth.refusal(err)
	}
	s.inbox, s.role, s.header = inbox, account.Role, nil
	s.h.metrics.accepted(s.codec, s.role)
	return nil
}

// logInOf returns what a session descends from that begins now. The clock of an outside issuer may be
// ahead, but no token was made after it was used.
func logInOf(p transport.Principal, now time.Time) LogIn {
	by := LogIn{Family: p.Family, IssuedAt: p.IssuedAt}
	if by.IssuedAt.After(now) {
		by.IssuedAt = now
	}
	return by
}

// revoked is the error of a connect that a disconnect overtook.
func revoked(code ridepb.CloseCode) *ride.Error {
	switch code {
	case ridepb.CloseSuspended:
		return ride.ErrSuspended
	case ridepb.CloseRevoked:
		return ride.ErrUnauthenticated
	default:
		return ride.ErrUnavailable
	}
}

// turnAway refuses a connect and closes the session.
func (s *session) turnAway(id string, err *ride.Error) {
	code := turnAwayCode(err)
	var retryAfter time.Duration
	if err.Retryable {
		retryAfter = s.h.retryAfter()
	}
	s.reply(id, refusal(err, retryAfter))
	s.Close(code, retryAfter)
}

// turnAwayCode is the close code that goes with a refused connect.
func turnAwayCode(err *ride.Error) ridepb.CloseCode {
	switch {
	case errors.Is(err, ride.ErrUnauthenticated):
		return ridepb.CloseUnauthenticated
	case errors.Is(err, ride.ErrSuspended):
		return ridepb.CloseSuspended
	case errors.Is(err, ride.ErrShuttingDown):
		return ridepb.CloseShutdown
	case errors.Is(err, ride.ErrInternal):
		return ridepb.CloseInternal
	case err.Retryable:
		return ridepb.CloseOverloaded
	default:
		return ridepb.CloseProtocolError
	}
}
