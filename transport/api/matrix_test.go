package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// row says what each subject gets from one operation. The statuses are of: the rider
// of the trip, another rider, its driver, another driver, an operator, and a client
// without credentials.
type row struct {
	path string // with its parameters filled in; $name is the id of an account
	json string
	want [6]int
}

var subjects = [6]string{"rider", "rider2", "driver", "driver2", "operator", ""}

// all is the row of an operation that answers everyone alike.
func all(n int) [6]int { return [6]int{n, n, n, n, n, n} }

// staff is the row of an operation for operators.
func staff(n int) [6]int { return [6]int{403, 403, 403, 403, n, 401} }

const missing = "00000000-0000-0000-0000-000000000000"

// matrix has one row, or several, for every operation of the OpenAPI document.
func matrix() map[string][]row {
	reason := `{"reason":"test"}`
	return map[string][]row{
		"log-in":          {{json: `{"username":"rider","password":"correct horse"}`, want: all(200)}},
		"refresh":         {{json: `{"refresh_token":"x"}`, want: all(401)}},
		"sign-up":         {{json: `{"username":"operator","password":"correct horse","first_name":"A","last_name":"B","role":"rider"}`, want: all(409)}},
		"log-out":         {{want: [6]int{204, 204, 204, 204, 204, 401}}},
		"make-ticket":     {{want: [6]int{201, 201, 201, 201, 201, 401}}},
		"change-password": {{json: `{"current_password":"wrong","new_password":"battery staple"}`, want: [6]int{422, 422, 422, 422, 422, 401}}},
		"get-me":          {{want: [6]int{200, 200, 200, 200, 200, 401}}},
		"change-me": {
			{json: `{"first_name":"New"}`, want: [6]int{200, 200, 200, 200, 200, 401}},
			{json: `{"plate":"NEW 1"}`, want: [6]int{422, 422, 200, 200, 422, 401}},
			{json: `{"role":"operator"}`, want: [6]int{422, 422, 422, 422, 422, 401}},
		},
		"erase-me": {
			{json: `{"password":"wrong"}`, want: [6]int{422, 422, 422, 422, 422, 401}},
			{json: `{"password":"correct horse"}`, want: [6]int{409, 204, 204, 204, 204, 401}}, // the rider is on a trip
		},
		"export-me":    {{want: [6]int{200, 200, 200, 200, 200, 401}}},
		"get-config":   {{want: all(200)}},
		"put-photo":    {{want: [6]int{415, 415, 415, 415, 415, 401}}},
		"delete-photo": {{want: [6]int{204, 204, 204, 204, 204, 401}}},
		"get-photo":    {{path: "/v1/photos/" + missing, want: all(404)}},
		"list-trips":   {{want: [6]int{200, 200, 200, 200, 403, 401}}},
		"get-trip": {
			{path: "/v1/trips/whole", want: [6]int{200, 404, 200, 404, 403, 401}},
			{path: "/v1/trips/requested", want: [6]int{200, 404, 404, 404, 403, 401}},
			{path: "/v1/trips/offered", want: [6]int{200, 404, 404, 404, 403, 401}},
			{path: "/v1/trips/released", want: [6]int{200, 404, 404, 404, 403, 401}},
			{path: "/v1/trips/" + missing, want: [6]int{404, 404, 404, 404, 403, 401}},
		},
		"list-offers":         {{want: [6]int{403, 403, 200, 200, 403, 401}}},
		"admin-list-accounts": {{want: staff(200)}},
		"admin-count-waiting": {{want: staff(200)}},
		"admin-get-account":   {{path: "/v1/admin/accounts/$rider2", want: staff(200)}, {path: "/v1/admin/accounts/" + missing, want: staff(404)}},
		"admin-suspend": {
			{path: "/v1/admin/accounts/" + missing + "/suspend", json: reason, want: staff(404)},
			{path: "/v1/admin/accounts/$operator/suspend", json: reason, want: staff(409)},
		},
		"admin-reinstate": {{path: "/v1/admin/accounts/$rider2/reinstate", json: reason, want: staff(200)}},
		"admin-approve": {
			{path: "/v1/admin/accounts/$driver2/approve", json: `{}`, want: staff(200)},
			{path: "/v1/admin/accounts/$rider2/approve", json: `{}`, want: staff(409)},
			{path: "/v1/admin/accounts/" + missing + "/approve", json: `{}`, want: staff(404)},
		},
		"admin-refuse": {
			{path: "/v1/admin/accounts/$driver2/refuse", json: reason, want: staff(200)},
			{path: "/v1/admin/accounts/$rider2/refuse", json: reason, want: staff(409)},
			{path: "/v1/admin/accounts/" + missing + "/refuse", json: reason, want: staff(404)},
		},
		"admin-log-out":    {{path: "/v1/admin/accounts/" + missing + "/logout", json: reason, want: staff(404)}},
		"admin-list-trips": {{want: staff(200)}},
		"admin-export-trips": {
			{want: staff(200)},
			{path: "/v1/admin/trips/export?format=xlsx", want: staff(422)},
			{path: "/v1/admin/trips/export?status=lost", want: staff(422)},
		},
		"admin-get-trip": {{path: "/v1/admin/trips/whole", want: staff(200)}, {path: "/v1/admin/trips/" + missing, want: staff(404)}},
		"admin-cancel-trip": {
			{path: "/v1/admin/trips/whole/cancel", json: reason, want: staff(503)}, // the fake's answer
			{path: "/v1/admin/trips/" + missing + "/cancel", json: reason, want: staff(404)},
		},
		// On an ordinary server without a map; demo_test.go has a demonstration, search_test.go a map.
		"get-demo":           {{want: all(404)}},
		"visit-demo":         {{json: `{"role":"rider"}`, want: all(404)}},
		"list-demo-places":   {{want: all(404)}},
		"get-demo-dispatch":  {{want: staff(404)}},
		"set-demo-dispatch":  {{json: `{"policy":"broadcast"}`, want: staff(404)}},
		"search-places":      {{path: ownGeocoder + "?q=x", want: all(404)}},
		"name-place":         {{path: ownReverse + "?lat=1&lng=1", want: all(404)}},
		"hear-pin":           {{path: "/v1/demo/trips/whole/hint", want: [6]int{403, 403, 404, 404, 403, 401}}},
		"admin-explain-trip": {{path: "/v1/admin/trips/whole/explain", want: staff(200)}, {path: "/v1/admin/trips/" + missing + "/explain", want: staff(404)}},
		"admin-redispatch-trip": {
			{path: "/v1/admin/trips/whole/redispatch", json: reason, want: staff(503)}, // the fake's answer
			{path: "/v1/admin/trips/" + missing + "/redispatch", json: reason, want: staff(404)},
		},
		"admin-reset-password": {
			{path: "/v1/admin/accounts/$rider2/password", json: reason, want: staff(200)},
			{path: "/v1/admin/accounts/" + missing + "/password", json: reason, want: staff(404)},
		},
		"admin-remove-photo": {
			{path: "/v1/admin/accounts/$rider2/remove-photo", json: reason, want: staff(200)},
			{path: "/v1/admin/accounts/" + missing + "/remove-photo", json: reason, want: staff(404)},
		},
		// Without a map; citymap_test.go and tiles_test.go have one.
		"streets-source":       {{want: all(404)}},
		"streets-source-file":  {{want: all(404)}},
		"admin-get-streets":    {{want: staff(404)}},
		"admin-reload-streets": {{json: reason, want: staff(404)}},
		"get-tile":             {{path: "/v1/tiles/0/0/0.mvt", want: all(404)}},
		"describe-tiles":       {{want: all(404)}},
		"get-style":            {{want: all(404)}},
		"admin-list-actors":    {{want: staff(200)}},
		"admin-list-samples":   {{want: staff(200)}, {path: "/v1/admin/series?step=15", want: staff(422)}},
		"admin-list-audit":     {{want: staff(200)}},
		"admin-street-times":   {{want: staff(200)}},
	}
}

// TestEveryOperationForEverybody asks for each operation as each subject. An operation
// without a row fails.
func TestEveryOperationForEverybody(t *testing.T) {
	w := newWorld(t)
	rows := matrix()
	for path, item := range w.OpenAPI().Paths {
		for method, op := range operationsOf(item) {
			require.NotEmpty(t, rows[op.OperationID], "%s %s has no row in the matrix", method, path)
			for _, row := range rows[op.OperationID] {
				if row.path == "" {
					row.path = path
				}
				t.Run(op.OperationID+" "+row.path, func(t *testing.T) {
					w := newWorld(t)
					w.story("whole", storyWhole)
					w.story("requested", storyRequested)
					w.story("offered", storyOffered)
					w.story("released", storyReleased)
					for i, as := range subjects {
						q := request{method: method, path: w.fill(row.path), as: as, json: row.json}
						got := w.do(q)
						require.Equal(t, row.want[i], got.Code, "%s: %s", got.what, got.Body)
					}
				})
			}
			delete(rows, op.OperationID)
		}
	}
	require.Empty(t, rows, "rows of operations that no longer exist")
}

// TestSignedOutAndSuspended asks for every operation that needs credentials with some
// that no longer count.
func TestSignedOutAndSuspended(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(*world)
		want   *ride.Error
		status int
	}{
		"logged out": {func(w *world) {
			w.do(request{method: "POST", path: "/v1/logout", as: "operator"}).ok(204, nil)
		}, ride.ErrUnauthenticated, 401},
		"suspended": {func(w *world) {
			require.NoError(w.t, w.store.SetAccountStatus(w.t.Context(), w.people["operator"].ID, ride.AccountSuspended))
		}, ride.ErrSuspended, 403},
		"expired": {func(w *world) { w.clock.advance(1 << 40) }, ride.ErrUnauthenticated, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(w)
			for path, item := range w.OpenAPI().Paths {
				for method, op := range operationsOf(item) {
					if len(op.Security) == 0 {
						continue
					}
					q := request{method: method, path: strings.ReplaceAll(path, "{id}", missing), as: "operator"}
					w.do(q).refused(c.want, c.status)
				}
			}
		})
	}
}

// TestOnlyListedOperationsArePublic keeps an operation from losing its roles unnoticed.
func TestOnlyListedOperationsArePublic(t *testing.T) {
	public := []string{"sign-up", "log-in", "refresh", "get-config", "get-photo", "get-demo", "visit-demo", "list-demo-places", "search-places", "name-place",
		"streets-source", "streets-source-file"}
	public = append(public, "get-tile", "describe-tiles", "get-style")
	w := newWorld(t)
	for path, item := range w.OpenAPI().Paths {
		for _, op := range operationsOf(item) {
			roles := op.Extensions[rolesExtension].([]ride.Role)
			require.Equal(t, slices.Contains(public, op.OperationID), len(op.Security) == 0, op.OperationID)
			require.Equal(t, len(op.Security) == 0, len(roles) == 0, op.OperationID)
			if strings.HasPrefix(path, "/v1/admin/") {
				require.Equal(t, []ride.Role{ride.RoleOperator}, roles)
			}
		}
	}
}

func TestCredentialsComeInOneHeader(t *testing.T) {
	w := newWorld(t)
	token := w.people["rider"].Access
	for name, h := range map[string]map[string]string{
		"none":             {},
		"basic":            {"Authorization": "Basic " + token},
		"bare":             {"Authorization": token},
		"two spaces":       {"Authorization": "Bearer  " + token},
		"trailing space":   {"Authorization": "Bearer " + token + " "},
		"a cookie":         {"Cookie": "token=" + token},
		"another's header": {"X-Auth-Token": token},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.do(request{method: "GET", path: "/v1/me", header: h})
			got.refused(ride.ErrUnauthenticated, 401)
			require.Equal(t, `Bearer realm="hexhail"`, got.Header().Get("WWW-Authenticate"))
		})
	}
	w.do(request{method: "GET", path: "/v1/me?access_token=" + token}).refused(ride.ErrUnauthenticated, http.StatusUnauthorized)
	w.do(request{method: "GET", path: "/v1/me", header: map[string]string{"Authorization": "bearer " + token}}).ok(200, nil)
}

// fill puts the ids of accounts for their names.
func (w *world) fill(path string) string {
	for name, p := range w.people {
		path = strings.ReplaceAll(path, "$"+name+"/", string(p.ID)+"/")
		if rest, ok := strings.CutSuffix(path, "$"+name); ok {
			path = rest + string(p.ID)
		}
	}
	return path
}
