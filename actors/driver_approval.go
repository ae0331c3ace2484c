package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// mayDrive returns nil, or why this driver may not drive. It reads the account from the store,
// because the decision may have been made on another node or before this actor was in the
// directory.
func (d *driverActor) mayDrive() error {
	ctx, cancel := d.sys.storeContext()
	defer cancel()
	a, err := d.sys.store.Account(ctx, d.account.ID)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return ride.ErrUnauthenticated
	case err != nil:
		return ride.ErrUnavailable
	}
	d.adopt(a)
	return d.account.MayDrive()
}

// adopt takes over a newer record. The class of a driver who is online stays, because cells and
// open offers depend on it.
func (d *driverActor) adopt(a ride.Account) {
	if a.UpdatedAt.Before(d.account.UpdatedAt) {
		return // out of order: a newer one is already here
	}
	if d.online {
		a.Vehicle.Class = d.account.Vehicle.Class
	}
	before := view.Approval(d.account)
	d.account = a
	if now := view.Approval(a); now.GetState() != before.GetState() || now.GetReason() != before.GetReason() {
		d.emit(&ridepb.Event{Body: &ridepb.Event_ApprovalChanged{ApprovalChanged: &ridepb.ApprovalChanged{Approval: now}}})
	}
}

func (d *driverActor) onAccountChanged(ctx actor.Context, m accountChanged) {
	d.adopt(m.account)
	d.keepOffline(ctx)
}

// keepOffline takes a driver who may not drive out of the search. An active trip continues.
func (d *driverActor) keepOffline(ctx actor.Context) {
	if d.account.MayDrive() == nil || !d.online {
		return
	}
	d.online = false
	d.syncCell(ctx)
	d.withdrawOffers(ctx, ride.ReasonWentOffline)
}
