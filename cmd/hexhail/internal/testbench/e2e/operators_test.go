package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// Operators find people and trips, suspend people and cancel trips; all of it is audited, and the
// people concerned are notified on their sockets.
func TestOperators(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		name := w.name(ride.RoleOperator)
		token := w.s.Token(ride.RoleOperator, name)
		call := func(method, path, body string, into any) {
			t.Helper()
			status, answer := w.s.Call(method, "/v1/admin"+path, token, body)
			require.Equal(t, http.StatusOK, status, answer)
			require.NoError(t, json.Unmarshal([]byte(answer), into), answer)
		}
		rider, connected := w.join(ride.RoleRider)
		d := w.driver(20)
		trip := w.match(rider, d).GetId()
		rider.Status(trip, ridepb.Trip_matched)

		var people struct {
			Items []struct {
				Account struct{ ID, Role, Status string }
			}
			NextCursor string `json:"next_cursor"`
		}
		call(http.MethodGet, "/accounts?role=rider&status=active", "", &people)
		require.Len(t, people.Items, 1)
		require.Equal(t, connected.GetAccountId(), people.Items[0].Account.ID)
		call(http.MethodGet, "/accounts?limit=1", "", &people)
		require.Len(t, people.Items, 1)
		require.NotEmpty(t, people.NextCursor)

		var trips struct{ Items []struct{ ID, Status string } }
		call(http.MethodGet, "/trips?status=matched", "", &trips)
		require.Len(t, trips.Items, 1)
		require.Equal(t, trip, trips.Items[0].ID)
		call(http.MethodGet, "/trips?status=completed", "", &trips)
		require.Empty(t, trips.Items)

		var cancelled struct {
			Trip struct {
				Status       string
				Cancellation struct{ By, Reason string }
			}
		}
		call(http.MethodPost, "/trips/"+trip+"/cancel", `{"reason":"road closed"}`, &cancelled)
		require.Equal(t, []string{"cancelled", "operator", "road closed"},
			[]string{cancelled.Trip.Status, cancelled.Trip.Cancellation.By, cancelled.Trip.Cancellation.Reason})
		for _, c := range []*harness.Client{rider, d} {
			told := c.Status(trip, ridepb.Trip_cancelled)
			require.Equal(t, ridepb.Cancellation_operator, told.GetCancellation().GetBy())
		}
		status, body := w.s.Call(http.MethodPost, "/v1/admin/trips/"+trip+"/cancel", token, `{"reason":"again"}`)
		problem(t, http.StatusConflict, ride.ErrWrongStatus, status, body)

		suspend(w, connected.GetAccountId())
		w.ends(rider, ridepb.CloseSuspended)
		call(http.MethodGet, "/accounts?status=suspended", "", &people)
		require.Len(t, people.Items, 1)
		var account struct{ Account struct{ Status string } }
		call(http.MethodPost, "/accounts/"+connected.GetAccountId()+"/reinstate", `{"reason":"sorry"}`, &account)
		require.Equal(t, "active", account.Account.Status)
		back, _ := w.as(ride.RoleRider, rider.Name, nil)
		require.NotNil(t, back.Ask(harness.Ping()).GetPong())

		var audit struct {
			Items []struct{ Actor, Action, Subject, Detail string }
		}
		call(http.MethodGet, "/audit", "", &audit)
		var actions []string
		for _, e := range audit.Items {
			require.NotEmpty(t, e.Actor)
			actions = append(actions, e.Action)
		}
		require.Equal(t, []string{
			"account.reinstate", "account.suspend", "trip.cancel.failed", "trip.cancel", "trip.cancel",
		}, actions, "newest first")
		require.Equal(t, trip, audit.Items[4].Subject)
		require.Contains(t, audit.Items[4].Detail, "road closed")
		require.Contains(t, audit.Items[2].Detail, ride.ErrWrongStatus.Code)

		for _, role := range []ride.Role{ride.RoleRider, ride.RoleDriver} {
			other := w.s.Token(role, w.name(role))
			for _, path := range []string{"/accounts", "/trips", "/audit", "/trips/" + trip, "/accounts/" + connected.GetAccountId()} {
				status, body := w.s.Call(http.MethodGet, "/v1/admin"+path, other, "")
				problem(t, http.StatusForbidden, ride.ErrWrongRole, status, body)
			}
			for _, path := range []string{"/trips/" + trip + "/cancel", "/accounts/" + connected.GetAccountId() + "/suspend"} {
				status, body := w.s.Call(http.MethodPost, "/v1/admin"+path, other, `{"reason":"mine"}`)
				problem(t, http.StatusForbidden, ride.ErrWrongRole, status, body)
			}
		}
	})
}

// Two people watch the demonstration with its one operator account, the first of them on two
// screens. Each refreshes independently; a log-out ends the screens of that log-in only.
func TestTwoWatchTheDemo(t *testing.T) {
	s := startDemo(t, "--drivers=10")
	mine, in := visit(t, s, ride.RoleOperator)
	theirs, other := visit(t, s, ride.RoleOperator)
	require.Equal(t, in.Account.ID, other.Account.ID, "they share an account")

	status, body := s.Call(http.MethodPost, "/v1/tickets", in.Tokens.Access, "")
	require.Equal(t, http.StatusCreated, status, body)
	var ticket struct{ Ticket string }
	require.NoError(t, json.Unmarshal([]byte(body), &ticket))
	second := harness.Dial(t, s, wire.Binary, nil)
	require.NotNil(t, second.Ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Connect{
		Connect: &ridepb.Connect{Ticket: ticket.Ticket},
	}}).GetConnected())

	watches := map[uint32]bool{}
	for _, c := range []*harness.Client{mine, theirs, second} {
		watches[c.Ask(harness.WatchCity()).GetCityWatched().GetWatch()] = true
		awaitCity(c, "the snapshot", func(m *ridepb.CityChanged) bool { return m.GetSnapshot() && m.GetTotals().GetSessions() > 0 })
	}
	require.Len(t, watches, 3)

	status, body = s.Call(http.MethodPost, "/v1/refresh", "", `{"refresh_token":"`+other.Tokens.Refresh+`"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.NotNil(t, theirs.Ask(harness.Ping()).GetPong(), "a refresh ends nothing")

	status, body = s.Call(http.MethodPost, "/v1/logout", in.Tokens.Access, "")
	require.Equal(t, http.StatusNoContent, status, body)
	require.EqualValues(t, ridepb.CloseRevoked, mine.Closed())
	require.EqualValues(t, ridepb.CloseRevoked, second.Closed(), "opened by a ticket of that log-in")
	seen := len(theirs.Events())
	theirs.Await("the city", seen, func(e *ridepb.Event) bool { return e.GetCityChanged() != nil })
	require.NotNil(t, theirs.Ask(harness.Ping()).GetPong())
}

// The oldest session of an operator is closed when there are too many, with the reason.
func TestOperatorSessionsAreBounded(t *testing.T) {
	w := newWorld(t, harness.Start(t, harness.Options{Flags: []string{"--socket-max-per-operator=2"}}), wire.JSON)
	first, _ := w.join(ride.RoleOperator)
	second, _ := w.as(ride.RoleOperator, first.Name, nil)
	require.NotNil(t, first.Ask(harness.Ping()).GetPong())
	third, _ := w.as(ride.RoleOperator, first.Name, nil)
	w.ends(first, ridepb.CloseReplaced)
	for _, c := range []*harness.Client{second, third} {
		require.NotNil(t, c.Ask(harness.WatchCity()).GetCityWatched())
	}
	suspend(w, account(w, second))
	for _, c := range []*harness.Client{second, third} {
		w.ends(c, ridepb.CloseSuspended)
	}
}

// account finds a client's account by its name.
func account(w *world, c *harness.Client) string {
	w.t.Helper()
	status, body := w.s.Call(http.MethodGet, "/v1/me", w.s.Token(ride.RoleOperator, c.Name), "")
	require.Equal(w.t, http.StatusOK, status, body)
	var me struct{ ID string }
	require.NoError(w.t, json.Unmarshal([]byte(body), &me))
	require.NotEmpty(w.t, me.ID, body)
	return me.ID
}
