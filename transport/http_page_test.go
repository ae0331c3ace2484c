package transport_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/api"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/internal/manual"
	"github.com/hexhail/hexhail/transport/internal/memstore"
)

// nobodyLive stands in for the sessions and trips that describing the API does not touch.
type nobodyLive struct{}

func (nobodyLive) Disconnect(ride.AccountID, string, ridepb.CloseCode) {}

func (nobodyLive) AccountChanged(ride.Account) {}
func (nobodyLive) CancelTrip(context.Context, ride.TripID, ride.AccountID, string) (ride.Trip, error) {
	return ride.Trip{}, ride.ErrNotFound
}

func (nobodyLive) Redispatch(context.Context, ride.TripID, string) (ride.Trip, error) {
	return ride.Trip{}, ride.ErrNotFound
}

func (nobodyLive) Actors(context.Context) ([]*ridepb.ActorKind, []*ridepb.CityNode) { return nil, nil }
func (nobodyLive) Samples(time.Time, time.Duration) []*ridepb.Sample                { return nil }

// newAPI is an API over an empty store.
func newAPI(t *testing.T) *api.API {
	t.Helper()
	keys, err := auth.GenerateKeys()
	require.NoError(t, err)
	store := new(memstore.Store)
	service, err := auth.New(auth.DefaultConfig(), keys, store)
	require.NoError(t, err)
	a, err := api.New(api.DefaultConfig(), api.Deps{
		Auth: service, Accounts: store, Photos: store, Audit: store, Trips: store, Live: nobodyLive{},
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return a
}

// operations returns "METHOD /path" of everything in the OpenAPI document.
func operations(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for path, item := range newAPI(t).OpenAPI().Paths {
		for method, there := range map[string]bool{
			"GET": item.Get != nil, "POST": item.Post != nil, "PUT": item.Put != nil,
			"PATCH": item.Patch != nil, "DELETE": item.Delete != nil,
		} {
			if there {
				out[method+" "+path] = true
			}
		}
	}
	return out
}

var operation = regexp.MustCompile("`((?:GET|POST|PUT|PATCH|DELETE) /v1/[^` ]+)`")

// What the pages call an operation is one, and http.md names all but the operators'.
func TestPagesNameTheOperations(t *testing.T) {
	there := operations(t)
	there["GET /v1/ws"] = true // not of the API, and not in its document
	named := map[string]bool{}
	for _, name := range []string{"protocol.md", "protocol-values.md", "protocol-transcript.md", "http.md"} {
		page, err := manual.Load(name)
		require.NoError(t, err)
		for _, match := range operation.FindAllStringSubmatch(page.Text(), -1) {
			require.True(t, there[match[1]], "%s names %s, which does not exist", name, match[1])
			if name == "http.md" {
				named[match[1]] = true
			}
		}
	}
	for op := range there {
		if op != "GET /v1/ws" && !strings.Contains(op, " /v1/admin/") {
			require.True(t, named[op], "http.md does not name %s", op)
		}
	}
}

var curl = regexp.MustCompile(`curl -s localhost:8080(/v1/\S+) -H 'Content-Type: application/json' -d '([^']*)'`)

// Who types the pages' sign-ups and log-ins, in their order, gets in.
func TestPagesSignUpsAndLogInsWork(t *testing.T) {
	for _, name := range []string{"protocol.md", "http.md"} {
		page, err := manual.Load(name)
		require.NoError(t, err)
		a, done := newAPI(t), 0
		for _, command := range curl.FindAllStringSubmatch(page.Text(), -1) {
			if command[1] == "/v1/refresh" {
				continue // its token is shortened
			}
			r := httptest.NewRequest(http.MethodPost, command[1], strings.NewReader(command[2]))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			require.Less(t, w.Code, 300, "%s: %s %s", name, command[0], w.Body)
			done++
		}
		require.Equal(t, 2, done, name)
	}
}
