package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// exported is the ids and statuses of an export as CSV, without its heading.
func (w *world) exported(query string) (ids, statuses []string) {
	w.t.Helper()
	got := w.do(request{method: "GET", path: tripsExportPath + query, as: "operator"})
	require.Equal(w.t, 200, got.Code, got.Body)
	rows, err := csv.NewReader(strings.NewReader(got.Body.String())).ReadAll()
	require.NoError(w.t, err)
	require.Equal(w.t, []string{"trip_id", "status"}, rows[0][:2])
	for _, row := range rows[1:] {
		ids, statuses = append(ids, row[0]), append(statuses, row[1])
	}
	return ids, statuses
}

// TestExportTrips: the filters are those of the list, several statuses come in one file, and the
// answer is a download without secrets.
func TestExportTrips(t *testing.T) {
	w := newWorld(t)
	w.story("a", storyWhole)
	w.clock.advance(time.Hour)
	w.people["operator"] = w.again("operator")
	w.story("b", storyMatched)
	w.clock.advance(time.Hour)
	w.people["operator"] = w.again("operator")
	w.story("c", storyRequested)

	for query, want := range map[string][]string{
		"":                                        {"c", "b", "a"},
		"?status=completed&status=requested":      {"c", "a"},
		"?live=true":                              {"c", "b"},
		"?q=gangnam":                              {"c", "b", "a"},
		"?q=nowhere":                              nil,
		w.fill("?live=true&account=$driver"):      {"b"},
		w.fill("?account=$rider2"):                nil,
		"?from=2030-05-01T13:00:00Z":              {"c", "b"},
		"?to=2030-05-01T13:00:00Z":                {"a"},
		"?from=2030-05-02T00:00:00%2B09:00":       nil,
		"?to=2030-05-02T00:00:00%2B09:00":         {"c", "b", "a"},
		"?to=2030-05-01T13:30:00Z&status=matched": {"b"},
	} {
		ids, _ := w.exported(query)
		require.Equal(t, want, ids, query)
	}
	_, statuses := w.exported("")
	require.Equal(t, []string{"requested", "matched", "completed"}, statuses)

	got := w.do(request{method: "GET", path: tripsExportPath + "?format=jsonl", as: "operator"})
	require.Equal(t, "application/jsonl", got.Header().Get("Content-Type"))
	require.Regexp(t, `^attachment; filename="hexhail-trips-20300501T14\d{4}Z\.jsonl"$`, got.Header().Get("Content-Disposition"))
	require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
	lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
	require.Len(t, lines, 3)
	for _, line := range lines {
		require.NoError(t, json.Unmarshal([]byte(line), &map[string]any{}))
	}
	require.NotContains(t, got.Body.String(), secretPIN)
	require.NotContains(t, got.Body.String(), secretComment)
	got = w.do(request{method: "GET", path: tripsExportPath, as: "operator"})
	require.Equal(t, "text/csv; charset=utf-8; header=present", got.Header().Get("Content-Type"))
	require.Contains(t, got.Header().Get("Content-Disposition"), ".csv")
	require.NotContains(t, got.Body.String(), secretPIN)
}

// TestExportTripsIsOnRecord: each export leaves an entry, without the words that were searched for.
func TestExportTripsIsOnRecord(t *testing.T) {
	w := newWorld(t)
	w.story("a", storyWhole)
	w.exported(w.fill("?q=gangnam&from=2030-05-01T00:00:00Z&status=completed&status=expired&format=csv&account=$rider"))
	entries, _, err := w.store.ListAudit(t.Context(), ride.AuditFilter{})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "trips.export", entries[0].Action)
	require.Equal(t, w.people["operator"].ID, entries[0].Actor)
	require.Equal(t, string(w.people["rider"].ID), entries[0].Subject)
	require.JSONEq(t, `{"reason":"csv, 1 trips, from=2030-05-01T00:00:00Z&q=…&status=completed&status=expired"}`, entries[0].Detail)

	w.store.Fail = func(method string) error {
		if method == "AddAudit" {
			return ride.ErrUnavailable
		}
		return nil
	}
	w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).refused(ride.ErrUnavailable, 503)
	require.Empty(t, w.operatorExports.of)
}

// TestExportTripsReadsPages: thousands of trips are read a page at a time, newest first, each once.
func TestExportTripsReadsPages(t *testing.T) {
	w := newWorld(t)
	const trips = 2*tripsPage + 1
	for n := range trips {
		w.story(ride.TripID(fmt.Sprintf("t%04d", n)), storyRequested)
	}
	reads := 0
	w.store.Fail = func(method string) error {
		if method == "ListTrips" {
			reads++
		}
		return nil
	}
	ids, _ := w.exported("")
	require.Len(t, ids, trips)
	require.Equal(t, 3, reads)
	for n, id := range ids {
		require.Equal(t, fmt.Sprintf("t%04d", trips-1-n), id)
	}
}

// TestExportTripsIsWholeOrCut: what fails at first is a problem, what fails later cuts the
// connection; both are on record, and give their place back.
func TestExportTripsIsWholeOrCut(t *testing.T) {
	w := newWorld(t)
	for n := range tripsPage + 1 {
		w.story(ride.TripID(fmt.Sprintf("t%04d", n)), storyRequested)
	}
	failAt, reads := 1, 0
	w.store.Fail = func(method string) error {
		if method == "ListTrips" {
			if reads++; reads == failAt {
				return errors.New("broken")
			}
		}
		return nil
	}
	w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).refused(ride.ErrInternal, 500)
	failAt, reads = 2, 0
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		w.do(request{method: "GET", path: tripsExportPath, as: "operator"})
	})
	require.Empty(t, w.operatorExports.of)
	failAt = -1
	entries, _, err := w.store.ListAudit(t.Context(), ride.AuditFilter{})
	require.NoError(t, err)
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"trips.export.failed", "trips.export", "trips.export.failed", "trips.export"}, actions)
}

// TestExportTripsHasBounds: so many trips at most, and one export of an operator at a time.
func TestExportTripsHasBounds(t *testing.T) {
	w := newWorld(t)
	leave, err := w.operatorExports.enter(w.people["operator"].ID)
	require.NoError(t, err)
	w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).refused(ride.ErrTooMany, 429)
	leave()
	w.deps.Trips = crowded{w.deps.Trips}
	p := w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).refused(ride.ErrInvalidArgument, 422)
	require.Contains(t, p.Detail, "hexhail export")
	require.Empty(t, w.operatorExports.of)
}

// TestStrangersKeepNoOperatorFromExporting: anyone can sign up and hold the places of riders and drivers.
func TestStrangersKeepNoOperatorFromExporting(t *testing.T) {
	w := newWorld(t)
	for n := range maxExports {
		_, err := w.enterExport(ride.Account{ID: ride.AccountID(fmt.Sprint("stranger", n)), Role: ride.RoleRider})
		require.NoError(t, err)
	}
	w.do(request{method: "GET", path: exportPath, as: "rider"}).refused(ride.ErrUnavailable, 503)
	w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).ok(200, nil)
	w.do(request{method: "GET", path: exportPath, as: "operator"}).ok(200, nil)
	require.Empty(t, w.operatorExports.of)
}

// TestExportEndsWithAccess: an account that is suspended or logged out in the middle of an export gets no
// further page. The cut is on record, and the place is given back.
func TestExportEndsWithAccess(t *testing.T) {
	for what, c := range map[string]struct {
		as, path string
		end      func(w *world, p person) error
		code     string // on record
	}{
		"an operator is suspended": {"operator", tripsExportPath, suspend, "suspended"},
		"an operator logs out":     {"operator", tripsExportPath, logOut, "unauthenticated"},
		"a rider is suspended":     {"rider", exportPath, suspend, ""},
		"a rider logs out":         {"rider", exportPath, logOut, ""},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			for n := range tripsPage + 1 {
				w.story(ride.TripID(fmt.Sprintf("t%04d", n)), storyRequested)
			}
			reads := 0
			w.deps.Trips = listing{w.deps.Trips, func() {
				if reads++; reads == 2 {
					require.NoError(t, c.end(w, w.people[c.as]))
				}
			}}
			require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
				w.do(request{method: "GET", path: c.path, as: c.as})
			})
			require.Equal(t, 2, reads)
			require.Empty(t, w.operatorExports.of)
			require.Empty(t, w.exports.of)
			failed, _, err := w.store.ListAudit(t.Context(), ride.AuditFilter{Action: "trips.export.failed"})
			require.NoError(t, err)
			if c.code == "" {
				require.Empty(t, failed)
				return
			}
			require.Len(t, failed, 1)
			require.JSONEq(t, `{"code":"`+c.code+`"}`, failed[0].Detail)
		})
	}
}

func suspend(w *world, p person) error {
	return w.store.SetAccountStatus(w.t.Context(), p.ID, ride.AccountSuspended)
}

func logOut(w *world, p person) error {
	return w.store.RevokeAccount(w.t.Context(), p.ID, w.clock.now())
}

// TestExportOutlastsItsToken: a token that runs out meanwhile does not cut an export short.
func TestExportOutlastsItsToken(t *testing.T) {
	w := newWorld(t)
	for n := range tripsPage + 1 {
		w.story(ride.TripID(fmt.Sprintf("t%04d", n)), storyRequested)
	}
	w.deps.Trips = listing{w.deps.Trips, func() { w.clock.advance(time.Hour) }}
	ids, _ := w.exported("")
	require.Len(t, ids, tripsPage+1)
	w.do(request{method: "GET", path: tripsExportPath, as: "operator"}).refused(ride.ErrUnauthenticated, 401)
}

// listing is a store that calls a function before it lists trips.
type listing struct {
	Trips
	before func()
}

func (l listing) ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error) {
	l.before()
	return l.Trips.ListTrips(ctx, f)
}

// crowded is a store with more trips than an export may have.
type crowded struct{ Trips }

func (crowded) CountTrips(_ context.Context, _ ride.TripFilter, most int) (int, error) {
	return most, nil
}
