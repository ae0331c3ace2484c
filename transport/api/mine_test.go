package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// TestEraseMe: with the password alone, and then nothing of the log-in counts any more.
func TestEraseMe(t *testing.T) {
	w := newWorld(t)
	me := w.people["rider"].Account.ID
	wrong := w.do(request{method: "DELETE", path: "/v1/me", as: "rider", json: `{"password":"nonsense"}`}).refused(ride.ErrInvalidArgument, 422)
	require.Equal(t, "password", wrong.Fields[0].Field)
	w.do(request{method: "DELETE", path: "/v1/me", as: "rider", json: `{}`}).refused(ride.ErrInvalidArgument, 422)
	w.do(request{method: "DELETE", path: "/v1/me", as: "rider"}).refused(ride.ErrInvalidArgument, 422)
	w.story("requested", storyRequested)
	w.do(request{method: "DELETE", path: "/v1/me", as: "rider", json: `{"password":"` + password + `"}`}).refused(ride.ErrTripActive, 409)
	require.Empty(t, w.live.closed)
	w.do(request{method: "DELETE", path: "/v1/me", as: "driver", json: `{"password":"` + password + `"}`}).ok(204, nil)
	gone := w.people["driver"].Account.ID
	require.Equal(t, []closed{{gone, "", ridepb.CloseRevoked}}, w.live.closed)
	w.do(request{method: "GET", path: "/v1/me", as: "driver"}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "POST", path: "/v1/refresh", json: `{"refresh_token":"` + w.people["driver"].Refresh + `"}`}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "POST", path: "/v1/login", json: `{"username":"driver","password":"` + password + `"}`}).refused(ride.ErrUnauthenticated, 401)
	w.do(request{method: "GET", path: "/v1/admin/accounts/" + string(gone), as: "operator"}).refused(ride.ErrNotFound, 404)
	var audit struct {
		Items []struct{ Action, Actor, Subject string }
	}
	w.do(request{method: "GET", path: "/v1/admin/audit", as: "operator"}).ok(200, &audit)
	require.Len(t, audit.Items, 1, "refusals leave no entries: they cost the asker nothing")
	require.Equal(t, "account.erase", audit.Items[0].Action)
	require.Equal(t, string(gone), audit.Items[0].Subject)
	w.do(request{method: "GET", path: "/v1/me", as: "rider"}).ok(200, nil)
	require.NotEmpty(t, me)
}

// TestExportMe: one document with the account, what is stored with it and the trips.
func TestExportMe(t *testing.T) {
	w := newWorld(t)
	w.story("whole", storyWhole)
	w.story("requested", storyRequested)
	var doc struct {
		Account struct {
			Account struct{ ID, Username string }
		}
		Held  map[string][]map[string]any
		Trips []struct {
			Trip struct{ ID string }
		}
	}
	got := w.do(request{method: "GET", path: "/v1/me/export", as: "rider"}).ok(200, &doc)
	require.Contains(t, got.Header().Get("Content-Disposition"), "attachment")
	require.Equal(t, "rider", doc.Account.Account.Username)
	require.Contains(t, doc.Held, "photos")
	require.Len(t, doc.Trips, 2)
	require.NotContains(t, got.Body.String(), `"password`)
	w.do(request{method: "GET", path: "/v1/me/export", as: "rider2"}).ok(200, &doc)
	require.Empty(t, doc.Trips, "another rider's trips are not theirs")
	w.do(request{method: "GET", path: "/v1/me/export", as: "operator"}).ok(200, &doc)
}

// TestExportIsWholeOrCut: an export that fails on its way does not look like a whole one, and
// gives its place back; only so many are written at once.
func TestExportIsWholeOrCut(t *testing.T) {
	w := newWorld(t)
	for n := range exportPage + 1 {
		w.story(ride.TripID(fmt.Sprint("t", n)), storyWhole)
	}
	calls := 0
	w.store.Fail = func(method string) error {
		if method == "ListTrips" {
			if calls++; calls%2 == 0 {
				return errors.New("broken")
			}
		}
		return nil
	}
	for range maxExports + 1 {
		calls = 0
		require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
			w.do(request{method: "GET", path: "/v1/me/export", as: "rider"})
		})
	}
	require.Empty(t, w.exports.of, "each gave its place back")
	leave, err := w.exports.enter(w.people["rider"].Account.ID)
	require.NoError(t, err)
	w.do(request{method: "GET", path: "/v1/me/export", as: "rider"}).refused(ride.ErrTooMany, 429)
	for n := range maxExports - 1 {
		_, err := w.exports.enter(ride.AccountID(fmt.Sprint("other", n)))
		require.NoError(t, err)
	}
	w.do(request{method: "GET", path: "/v1/me/export", as: "rider2"}).refused(ride.ErrUnavailable, 503)
	leave()
	w.do(request{method: "GET", path: "/v1/me/export", as: "rider2"}).ok(200, nil)
}
