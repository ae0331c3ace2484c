package server

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/session"
)

// router adapts the actors to transport.Router.
type router struct{ sys *actors.System }

func (r router) Join(ctx context.Context, j transport.Join) (transport.Inbox, error) {
	inbox, err := r.sys.Join(ctx, actors.Join{
		Account: j.Principal.Account, SessionID: j.SessionID, ConnectID: j.ConnectID, Resume: j.Resume, Out: j.Out,
	})
	if err != nil {
		return nil, err // not inbox: an interface that holds a nil pointer is not nil
	}
	return inbox, nil
}

// live is how the HTTP API acts on open sessions and live trips.
type live struct {
	sessions *session.Registry
	sys      *actors.System
}

func (l live) Disconnect(account ride.AccountID, family string, code ridepb.CloseCode) {
	l.sessions.Disconnect(account, family, code)
}

func (l live) DisconnectOutside(account ride.AccountID, until time.Time, code ridepb.CloseCode) {
	l.sessions.DisconnectOutside(account, until, code)
}

func (l live) Check(account ride.AccountID) []session.LogIn { return l.sessions.Check(account) }

func (l live) CheckAll() map[ride.AccountID][]session.LogIn { return l.sessions.CheckAll() }

func (l live) OnOvertaken(f func(ride.AccountID)) { l.sessions.OnOvertaken(f) }

func (l live) AccountChanged(a ride.Account) { l.sys.AccountChanged(a) }

func (l live) Redispatch(ctx context.Context, id ride.TripID, reason string) (ride.Trip, error) {
	return l.sys.Redispatch(ctx, id, reason)
}

func (l live) Actors(ctx context.Context) ([]*ridepb.ActorKind, []*ridepb.CityNode) {
	return l.sys.Actors(ctx)
}

func (l live) Samples(since time.Time, step time.Duration) []*ridepb.Sample {
	return l.sys.Samples(since, step)
}

func (l live) CancelTrip(ctx context.Context, id ride.TripID, operator ride.AccountID, reason string) (ride.Trip, error) {
	return l.sys.CancelTrip(ctx, id, operator, reason)
}
