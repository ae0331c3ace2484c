package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
)

// fakeAuth knows a token and a ticket for each role, named like it, and some
// that fail.
type fakeAuth struct {
	mu     sync.Mutex
	expiry time.Time
	// before runs in each authentication.
	before func(ctx context.Context) error
	asked  atomic.Int32
}

func person(role ride.Role) ride.Account {
	return ride.Account{ID: ride.AccountID("account-" + string(role)), Role: role, Status: ride.AccountActive, FirstName: "Secret"}
}

func (a *fakeAuth) Authenticate(ctx context.Context, token string) (transport.Principal, error) {
	a.asked.Add(1)
	a.mu.Lock()
	before, expiry := a.before, a.expiry
	a.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return transport.Principal{}, err
		}
	}
	p := transport.Principal{Family: "family-" + token, ExpiresAt: expiry}
	switch token {
	case "rider", "driver", "operator":
		p.Account = person(ride.Role(token))
	case "suspended":
		return p, ride.ErrSuspended
	case "suspended account":
		p.Account = person(ride.RoleRider)
		p.Account.Status = ride.AccountSuspended
	case "expired":
		p.Account, p.ExpiresAt = person(ride.RoleRider), time.Now()
	case "eternal":
		p.Account, p.ExpiresAt = person(ride.RoleRider), time.Time{}
	case "nobody":
		p.Account = ride.Account{Role: ride.RoleRider}
	case "down":
		return p, ride.ErrUnavailable
	case "broken":
		return p, errors.New("secret detail")
	default:
		return p, ride.ErrUnauthenticated
	}
	return p, nil
}

func (a *fakeAuth) RedeemTicket(ctx context.Context, ticket string) (transport.Principal, error) {
	token, ok := strings.CutPrefix(ticket, "ticket-")
	if !ok {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	return a.Authenticate(ctx, token)
}

// fakeRouter answers a connect like an actor, with the events that it holds.
type fakeRouter struct {
	err     error
	before  func(ctx context.Context, j transport.Join) error
	hold    bool // commands get no reply
	mute    bool // nor does connect
	inboxes chan *fakeInbox
}

func (r *fakeRouter) Join(ctx context.Context, j transport.Join) (transport.Inbox, error) {
	if r.before != nil {
		if err := r.before(ctx, j); err != nil {
			return nil, err
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if !r.mute {
		j.Out.Reply(&ridepb.Reply{Id: j.ConnectID, Result: &ridepb.Reply_Connected{Connected: &ridepb.Connected{
			SessionId: j.SessionID, Epoch: "epoch", Seq: 7, AccountId: string(j.Principal.Account.ID),
		}}})
	}
	p := &fakeInbox{
		join: j, hold: r.hold, left: make(chan struct{}),
		commands: make(chan *ridepb.ClientFrame, 4096), locations: make(chan ride.Position, 4096),
	}
	r.inboxes <- p
	return p, nil
}

type fakeInbox struct {
	join      transport.Join
	hold      bool
	commands  chan *ridepb.ClientFrame
	locations chan ride.Position
	left      chan struct{} // closed by Leave; closing it twice panics
}

func (p *fakeInbox) Command(f *ridepb.ClientFrame) {
	p.commands <- f
	switch {
	case f.GetGoOffline() != nil && f.Id == "panic":
		panic("an actor's mistake")
	case !p.hold:
		p.join.Out.Reply(done(f.Id))
	}
}

func done(id string) *ridepb.Reply {
	return &ridepb.Reply{Id: id, Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}
}

func (p *fakeInbox) Location(pos ride.Position) error {
	if pos.HeadingDeg == 13 {
		return ride.ErrInvalidArgument.With("Not today.").In("location.heading_deg")
	}
	if pos.HeadingDeg == 14 {
		return ride.ErrUnavailable
	}
	p.locations <- pos
	return nil
}

func (p *fakeInbox) Leave() { close(p.left) }
