package api

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

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

// TestActionsNeedAnAuditRecord breaks the audit and tries every action.
func TestActionsNeedAnAuditRecord(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyMatched)
	w.live.cancel = func(ride.TripID) (ride.Trip, error) { t.Error("cancelled"); return ride.Trip{}, nil }
	w.live.again = func(ride.TripID) (ride.Trip, error) { t.Error("re-dispatched"); return ride.Trip{}, nil }
	w.store.Fail = func(m string) error {
		if m == "AddAudit" {
			return errors.New("disk full")
		}
		return nil
	}
	for _, path := range []string{"/accounts/$rider/suspend", "/accounts/$rider/reinstate", "/accounts/$rider/logout", "/trips/t/cancel",
		"/trips/t/redispatch", "/accounts/$rider/password", "/accounts/$rider/remove-photo"} {
		w.do(request{method: "POST", path: "/v1/admin" + w.fill(path), as: "operator", json: because}).refused(ride.ErrInternal, 500)
	}
	w.store.Fail = nil
	require.Empty(t, w.live.closed)
	require.NotContains(t, w.store.Calls(), "SetAccountStatus")
	require.NotContains(t, w.store.Calls(), "RevokeAccount")
	require.NotContains(t, w.store.Calls(), "SetPassword")
	require.NotContains(t, w.store.Calls(), "UpdateAccount")
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
	id := func(name string) string { return "id=" + string(w.people[name].ID) + "&" }
	names, next = list("?" + id("rider") + id("driver") + id("rider") + "id=nobody&role=operator")
	require.ElementsMatch(t, []string{"rider", "driver"}, names, "ids are instead of all other filters")
	require.Empty(t, next)
	names, _ = list("?id=a%00b&" + id("driver2"))
	require.Equal(t, []string{"driver2"}, names)
	w.do(request{method: "GET", path: "/v1/admin/accounts?" + strings.Repeat("id=x&", 101), as: "operator"}).refused(ride.ErrInvalidArgument, 422)
	w.do(request{method: "GET", path: "/v1/admin/accounts?role=root", as: "operator"}).refused(ride.ErrInvalidArgument, 422)
}

func TestCountWaitingDrivers(t *testing.T) {
	w := newWorld(t)
	count := func() (v waitingView) {
		w.do(request{method: "GET", path: "/v1/admin/waiting-drivers", as: "operator"}).ok(200, &v)
		return v
	}
	require.Equal(t, waitingView{}, count())
	for i := range mostWaiting + 1 {
		name := "waiting" + strconv.Itoa(i)
		require.NoError(t, w.store.CreateAccount(t.Context(), ride.Account{
			ID: ride.AccountID(name), Role: ride.RoleDriver, Username: name, Status: ride.AccountActive, Approval: ride.ApprovalPending,
		}, "h"))
		if i == 1 {
			require.Equal(t, waitingView{Count: 2}, count())
		}
		if i == mostWaiting-1 {
			require.Equal(t, waitingView{Count: mostWaiting}, count())
		}
	}
	require.Equal(t, waitingView{Count: mostWaiting, More: true}, count())
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

func TestOperatorResetsAPassword(t *testing.T) {
	w := newWorld(t)
	path := w.fill("/v1/admin/accounts/$rider/password")
	var v struct {
		Account  struct{ Username string }
		Password string
	}
	w.do(request{method: "POST", path: path, as: "operator", json: because}).ok(200, &v)
	require.Equal(t, "rider", v.Account.Username)
	require.GreaterOrEqual(t, len(v.Password), 20)
	require.Equal(t, []closed{{w.people["rider"].ID, "", ridepb.CloseRevoked}}, w.live.closed)
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).refused(ride.ErrUnauthenticated, 401)
	login := func(password string) *response {
		return w.do(request{method: "POST", path: "/v1/login", json: `{"username":"rider","password":"` + password + `"}`})
	}
	login(password).refused(ride.ErrUnauthenticated, 401)
	login(v.Password).ok(200, nil)

	w.do(request{method: "POST", path: path, as: "operator", json: `{"reason":"asked for","password":"battery staple"}`}).ok(200, &v)
	require.Equal(t, "battery staple", v.Password)
	login("battery staple").ok(200, nil)
	p := w.do(request{method: "POST", path: path, as: "operator", json: `{"reason":"asked for","password":"short"}`}).refused(ride.ErrInvalidArgument, 422)
	require.Equal(t, "password", p.Fields[0].Field)
	for _, e := range w.audit() {
		require.NotContains(t, e.Detail, "staple")
		require.Contains(t, []string{"account.password", "account.password.failed"}, e.Action)
	}
	require.NotContains(t, w.logs.String(), "staple")
}

func TestOutsidersHaveNoPasswordToReset(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.store.CreateAccount(t.Context(), ride.Account{
		ID: "outside", Role: ride.RoleRider, Status: ride.AccountActive, Issuer: "https://id.example", Subject: "7",
	}, ""))
	w.do(request{method: "POST", path: "/v1/admin/accounts/outside/password", as: "operator", json: because}).refused(ride.ErrWrongStatus, 409)
}

func TestOperatorRemovesAPhoto(t *testing.T) {
	w := newWorld(t)
	rider := w.people["rider"]
	require.NoError(t, w.store.SavePhoto(t.Context(), ride.Photo{ID: "p", Owner: rider.ID, Data: []byte{1}}))
	id := "p"
	_, err := w.store.UpdateAccount(t.Context(), rider.ID, ride.AccountPatch{PhotoID: &id})
	require.NoError(t, err)
	var v adminAccountView
	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$rider/remove-photo"), as: "operator", json: because}).ok(200, &v)
	require.Empty(t, v.Account.PhotoURL)
	_, err = w.store.Photo(t.Context(), "p")
	require.ErrorIs(t, err, ride.ErrNotFound)
	require.Equal(t, "account.remove_photo", w.audit()[0].Action)
}

func TestAccountNamesItsTrip(t *testing.T) {
	w := newWorld(t)
	w.story("t", storyMatched)
	for who, want := range map[string]ride.TripID{"rider": "t", "driver": "t", "driver2": "", "rider2": ""} {
		var v adminAccountView
		w.do(request{method: "GET", path: w.fill("/v1/admin/accounts/$" + who), as: "operator"}).ok(200, &v)
		require.Equal(t, want, v.ActiveTrip, who)
	}
}

func TestOperatorRedispatchesATrip(t *testing.T) {
	w := newWorld(t)
	trip := w.story("t", storyMatched)
	w.live.again = func(id ride.TripID) (ride.Trip, error) {
		require.Len(t, w.audit(), 1, "on record before it is done")
		return ride.Apply(trip, ride.Released{At: w.clock.now(), Driver: trip.DriverID(), By: ride.ByOperator}), nil
	}
	var v struct {
		Trip struct{ Status string }
	}
	w.do(request{method: "POST", path: "/v1/admin/trips/t/redispatch", as: "operator", json: because}).ok(200, &v)
	require.Equal(t, "requested", v.Trip.Status)
	require.Equal(t, "trip.redispatch", w.audit()[0].Action)
}

func TestAuditFilters(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"driver", "rider"} {
		w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$" + who + "/logout"), as: "operator", json: because}).ok(200, nil)
		w.clock.advance(time.Minute)
	}
	for query, want := range map[string]int{
		"": 2, "?subject=$rider": 1, "?action=account.logout": 2, "?action=trip.cancel": 0, "?actor=$operator": 2, "?actor=$rider": 0,
		"?from=2030-05-01T12:00:30Z": 1, "?to=2030-05-01T12:00:30Z": 1,
	} {
		var p list[auditView]
		w.do(request{method: "GET", path: "/v1/admin/audit" + w.fill(query), as: "operator"}).ok(200, &p)
		require.Len(t, p.Items, want, query)
	}
	w.do(request{method: "GET", path: "/v1/admin/audit?from=yesterday", as: "operator"}).refused(ride.ErrInvalidArgument, 422)
}

func TestActorsAndSeries(t *testing.T) {
	w := newWorld(t)
	var kinds struct {
		Kinds []struct {
			Kind    string
			Alive   int
			Slowest []struct{ Message string }
		}
	}
	w.do(request{method: "GET", path: "/v1/admin/actors", as: "operator"}).ok(200, &kinds)
	require.Equal(t, "driver", kinds.Kinds[0].Kind)
	require.Equal(t, "offerMade", kinds.Kinds[0].Slowest[0].Message)
	var nodes struct{ Nodes []map[string]string }
	w.do(request{method: "GET", path: "/v1/admin/actors", as: "operator"}).ok(200, &nodes)
	require.Nil(t, nodes.Nodes, "a server alone")
	w.live.nodes = []*ridepb.CityNode{{Name: "n1", State: ridepb.CityNode_answering, Version: "1.2.0"}, {Name: "n2", State: ridepb.CityNode_missing}}
	w.do(request{method: "GET", path: "/v1/admin/actors", as: "operator"}).ok(200, &nodes)
	require.Equal(t, []map[string]string{
		{"name": "n1", "state": "answering", "version": "1.2.0"}, {"name": "n2", "state": "missing", "version": ""},
	}, nodes.Nodes)
	var series struct{ Samples []struct{ Matches int } }
	w.do(request{method: "GET", path: "/v1/admin/series", as: "operator"}).ok(200, &series)
	require.Equal(t, 4, series.Samples[0].Matches)
	require.Equal(t, time.Minute, w.live.asked.step)
	require.Equal(t, w.clock.now().Add(-3*time.Hour), w.live.asked.since)
	w.do(request{method: "GET", path: "/v1/admin/series?step=10&since=2020-01-01T00:00:00Z", as: "operator"}).ok(200, nil)
	require.Equal(t, time.Minute, w.live.asked.step, "made longer")
	require.Equal(t, w.clock.now().Add(-24*time.Hour), w.live.asked.since)
}
