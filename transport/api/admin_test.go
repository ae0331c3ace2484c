package api

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

const because = `{"reason":"because"}`

func (w *world) audit() []ride.AuditEntry {
	w.t.Helper()
	e, _, err := w.store.ListAudit(w.t.Context(), ride.AuditFilter{Page: ride.Page{Limit: 100}})
	require.NoError(w.t, err)
	return e
}

func TestSuspendAndReinstate(t *testing.T) {
	w := newWorld(t)
	rider := w.people["rider"]
	var v adminAccountView
	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$rider/suspend"), as: "operator", json: because}).ok(200, &v)
	require.Equal(t, ride.AccountSuspended, v.Account.Status)
	require.Equal(t, []closed{{rider.ID, "", ridepb.CloseSuspended}}, w.live.closed)
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).refused(ride.ErrSuspended, 403)
	w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + rider.Refresh + `"}`}).refused(ride.ErrUnauthenticated, 401)

	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$rider/reinstate"), as: "operator", json: because}).ok(200, &v)
	require.Equal(t, ride.AccountActive, v.Account.Status)
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "POST", path: "/v1/login", json: `{"username":"rider","password":"correct horse"}`}).ok(200, nil)

	a := w.audit()
	require.Len(t, a, 2)
	require.Equal(t, "account.reinstate", a[0].Action)
	require.Equal(t, ride.AuditEntry{
		ID: 1, At: w.clock.now(), Actor: w.people["operator"].ID, Action: "account.suspend", Subject: string(rider.ID), Detail: `{"reason":"because"}`,
	}, a[1])
}

func TestOperatorLogsSomebodyOut(t *testing.T) {
	w := newWorld(t)
	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$driver/logout"), as: "operator", json: because}).ok(200, nil)
	w.do(request{method: "GET", path: "/v1/me", as: "driver"}).refused(ride.ErrUnauthenticated, 401)
	require.Equal(t, []closed{{w.people["driver"].ID, "", ridepb.CloseRevoked}}, w.live.closed)
	require.Equal(t, "account.logout", w.audit()[0].Action)
}

func TestOperatorCancelsATrip(t *testing.T) {
	w := newWorld(t)
	trip := w.story("t", storyMatched)
	w.live.cancel = func(id ride.TripID) (ride.Trip, error) {
		require.Equal(t, ride.TripID("t"), id)
		require.Len(t, w.audit(), 1, "on record before it is done")
		return ride.Apply(trip, ride.Cancelled{At: w.clock.now(), By: ride.ByOperator, Reason: "because"}), nil
	}
	var v struct {
		Trip struct{ Status, Rider any }
	}
	w.do(request{method: "POST", path: "/v1/admin/trips/t/cancel", as: "operator", json: because}).ok(200, &v)
	require.Equal(t, "cancelled", v.Trip.Status)

	w.live.cancel = func(ride.TripID) (ride.Trip, error) { return ride.Trip{}, ride.ErrWrongStatus }
	w.do(request{method: "POST", path: "/v1/admin/trips/t/cancel", as: "operator", json: because}).refused(ride.ErrWrongStatus, 409)
	require.Equal(t, "trip.cancel.failed", w.audit()[0].Action)
	require.JSONEq(t, `{"code":"wrong_status"}`, w.audit()[0].Detail)
}

// TestWhatIsNotOnRecordDoesNotHappen breaks the audit and tries every action.
func TestWhatIsNotOnRecordDoesNotHappen(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyMatched)
	w.live.cancel = func(ride.TripID) (ride.Trip, error) { t.Error("cancelled"); return ride.Trip{}, nil }
	w.store.Fail = func(m string) error {
		if m == "AddAudit" {
			return errors.New("disk full")
		}
		return nil
	}
	for _, path := range []string{"/accounts/$rider/suspend", "/accounts/$rider/reinstate", "/accounts/$rider/logout", "/trips/t/cancel"} {
		w.do(request{method: "POST", path: "/v1/admin" + w.fill(path), as: "operator", json: because}).refused(ride.ErrInternal, 500)
	}
	w.store.Fail = nil
	require.Empty(t, w.live.closed)
	require.NotContains(t, w.store.Calls(), "SetAccountStatus")
	require.NotContains(t, w.store.Calls(), "RevokeAccount")
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).ok(200, nil)
}

func TestListAccounts(t *testing.T) {
	w := newWorld(t)
	list := func(query string) (names []string, next string) {
		var p list[adminAccountView]
		w.do(request{method: "GET", path: "/v1/admin/accounts" + query, as: "operator"}).ok(200, &p)
		for _, i := range p.Items {
			names = append(names, i.Account.Username)
		}
		return names, p.NextCursor
	}
	// The operator was made by the machine's clock, which is behind the test's.
	names, next := list("?limit=3")
	require.Equal(t, []string{"driver2", "driver", "rider2"}, names)
	names, next = list("?limit=3&cursor=" + next)
	require.Equal(t, []string{"rider", "operator"}, names)
	require.Empty(t, next)
	names, _ = list("?role=driver&q=DRIVER2")
	require.Equal(t, []string{"driver2"}, names)
	names, _ = list("?status=suspended")
	require.Empty(t, names)
	w.do(request{method: "GET", path: "/v1/admin/accounts?role=root", as: "operator"}).refused(ride.ErrInvalidArgument, 422)
}

func TestListAudit(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$driver/logout"), as: "operator", json: because}).ok(200, nil)
	}
	var p list[auditView]
	w.do(request{method: "GET", path: "/v1/admin/audit?limit=2", as: "operator"}).ok(200, &p)
	require.Len(t, p.Items, 2)
	require.Equal(t, "3", p.Items[0].ID)
	w.do(request{method: "GET", path: "/v1/admin/audit?limit=2&cursor=" + p.NextCursor, as: "operator"}).ok(200, &p)
	require.Equal(t, "1", p.Items[len(p.Items)-1].ID)
	require.Empty(t, p.NextCursor)
}

func TestAuditDetailIsBounded(t *testing.T) {
	w := newWorld(t)
	b, err := json.Marshal(map[string]string{"reason": strings.Repeat("\u2028", 200)})
	require.NoError(t, err)
	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$driver/logout"), as: "operator", json: string(b)}).ok(200, nil)
	require.LessOrEqual(t, len(w.audit()[0].Detail), 1000)
}
