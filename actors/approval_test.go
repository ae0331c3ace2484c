package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// decide changes a driver's approval as an operator would; quietly does not notify the running
// actor, like a command line beside the server.
func (w *world) decide(c *client, to ride.Approval, reason string, quietly bool) {
	c.account.Approval, c.account.ApprovalReason, c.account.UpdatedAt = to, reason, time.Now()
	w.store.know(c.account)
	if !quietly {
		w.sys.AccountChanged(c.account)
		synctest.Wait()
	}
}

func (c *client) approvals() (out []string) {
	for _, e := range c.box.all() {
		if a := e.GetApprovalChanged(); a != nil {
			out = append(out, a.GetApproval().GetState()+a.GetApproval().GetReason())
		}
	}
	return out
}

// A pending driver gets no offer; an approved one goes online in the same session, however the
// decision was made.
func TestApprovalLetsDriversIn(t *testing.T) {
	for name, quietly := range map[string]bool{"by the server": false, "beside the server": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				d := w.client(ride.RoleDriver, "d")
				d.account.Approval = ride.ApprovalPending
				d.connect(nil)
				require.Equal(t, "pending", d.connected().GetApproval().GetState())
				require.Equal(t, "approval_pending", d.goOnline(50).GetError().GetCode())
				r := w.rider("r")
				require.Nil(t, r.connected().GetApproval())
				require.NotNil(t, r.request().GetTrip())
				pass(3 * time.Second)
				require.Empty(t, d.offers(), "a pending driver must not get an offer")

				w.decide(d, ride.ApprovalApproved, "", quietly)
				require.NotNil(t, d.goOnline(50).GetDone())
				require.Equal(t, []string{"approved"}, d.approvals())
				pass(6 * time.Second)
				require.Len(t, d.offers(), 1)
			})
		})
	}
}

// A driver who is rejected while online goes offline, loses its offers and cannot accept; an active
// trip ends as usual.
func TestRefusalTakesDriversOut(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		busy := w.driver("busy", 60)
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		pass(time.Second)
		require.NotNil(t, busy.accept(busy.offer()).GetTrip())
		w.decide(busy, ride.ApprovalRefused, "complaints", false)
		require.NotNil(t, busy.arrived(trip).GetTrip(), "an active trip continues")

		d := w.driver("d", 50)
		w.rider("r2").request()
		pass(time.Second)
		late := d.offer()
		w.decide(d, ride.ApprovalRefused, "no licence", false)
		require.Equal(t, []string{"refusedno licence"}, d.approvals())
		require.Equal(t, "approval_refused", d.accept(late).GetError().GetCode())
		require.Equal(t, "approval_refused", d.goOnline(50).GetError().GetCode())
		pass(time.Minute)
		require.Len(t, d.offers(), 1, "no offer after the rejection")
		require.Len(t, d.ends(), 1, "and the open offer ends")
		d.inbox.Leave()
		d.connect(nil)
		require.False(t, d.connected().GetOnline())
		require.Equal(t, "no licence", d.connected().GetApproval().GetReason())
	})
}

// A session that was authenticated before a rejection, and joins after it, does not restore the
// approval.
func TestRefusalOvertakesAJoin(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		d := w.client(ride.RoleDriver, "d")
		before := d.account
		w.decide(d, ride.ApprovalRefused, "", true)
		after := d.account
		d.account = before
		d.connect(nil)
		w.store.know(after) // connect stored the older record
		require.Equal(t, "approval_refused", d.goOnline(50).GetError().GetCode())
	})
}
