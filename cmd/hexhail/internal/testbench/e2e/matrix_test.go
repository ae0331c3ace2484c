package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// allowed says which role may send which message once connected; the rest is wrong_role.
var allowed = map[ride.Role]map[string]bool{
	ride.RoleRider: {"ping": true, "get_quote": true, "request_trip": true, "cancel_trip": true, "rate_trip": true},
	ride.RoleDriver: {
		"ping": true, "go_online": true, "go_offline": true, "location": true, "cancel_trip": true, "accept_offer": true,
		"decline_offer": true, "arrived": true, "start_trip": true, "complete_trip": true, "rate_trip": true,
	},
	ride.RoleOperator: {"ping": true, "watch_city": true, "unwatch_city": true},
}

// frames has a well-formed frame of every client message except connect, for a given trip.
func (w *world) frames(trip, offer string) map[string]*ridepb.ClientFrame {
	return map[string]*ridepb.ClientFrame{
		"ping": harness.Ping(), "go_online": harness.GoOnline(w.at), "go_offline": harness.GoOffline(),
		"location": harness.At(w.at), "get_quote": harness.Quote(w.at, w.to), "request_trip": harness.Request(w.at, w.to),
		"cancel_trip": harness.Cancel(trip), "accept_offer": harness.Accept(offer), "decline_offer": harness.Decline(offer),
		"arrived": harness.Arrived(trip), "start_trip": harness.StartTrip(trip, "0000"),
		"complete_trip": harness.Complete(trip), "rate_trip": harness.Rate(trip, 5),
		"watch_city": harness.WatchCity(), "unwatch_city": harness.UnwatchCity(),
	}
}

func TestWhoMaySendWhat(t *testing.T) {
	bodies := new(ridepb.ClientFrame).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		trip := w.request(w.rider()).GetId()
		frames := w.frames(trip, trip+".1")
		require.Len(t, frames, bodies.Len()-1)
		for role, may := range allowed {
			for name, f := range frames {
				c, _ := w.join(role)
				f.Id = ""
				id := c.Send(f)
				if name == "location" && may[name] {
					require.NotNil(t, c.Ask(harness.Ping()).GetPong()) // a location has no reply
					require.Len(t, c.Replies(), 2)
					continue
				}
				code := c.Reply(id, 1).GetError().GetCode()
				if may[name] {
					require.NotEqual(t, ride.ErrWrongRole.Code, code, "%s sends %s", role, name)
				} else {
					require.Equal(t, ride.ErrWrongRole.Code, code, "%s sends %s", role, name)
				}
			}
		}
		for name, f := range frames {
			c := harness.Dial(t, w.s, codec, nil)
			f.Id = ""
			require.Equal(t, ride.ErrNotConnected.Code, c.Ask(f).GetError().GetCode(), name)
			require.EqualValues(t, ridepb.CloseProtocolError, c.Closed(), name)
		}
	})
}

var asked atomic.Int64

// bytesOf waits for the reply to a frame and returns its bytes, without the id.
func bytesOf(t *testing.T, c *harness.Client, f *ridepb.ClientFrame) string {
	t.Helper()
	id := ""
	for range 4 { // a busy machine's database may be slow
		f.Id = fmt.Sprintf("bytes-%09d", asked.Add(1)) // all of the same length
		id = c.Send(f)
		r := c.Reply(id, 1)
		if r.GetError().GetCode() != ride.ErrUnavailable.Code {
			break
		}
		time.Sleep(time.Duration(r.GetError().GetRetryAfterMs()) * time.Millisecond)
	}
	for _, b := range c.Raw() {
		if bytes.Contains(b, []byte(id)) {
			return strings.ReplaceAll(string(b), id, "")
		}
	}
	t.Fatal("no bytes of the reply")
	return ""
}

// Commands on someone else's trips and offers are answered exactly as for ones that do not exist.
func TestForeignIsMissing(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		rider, near := w.rider(), w.driver(20)
		loser := w.driver(300)
		trip := w.request(rider).GetId()
		lost := loser.Offer(trip).GetId()
		w.accept(near, &ridepb.Trip{Id: trip})
		loser.OfferEnd(lost)

		strangerRider, _ := w.join(ride.RoleRider)
		strangerDriver, _ := w.join(ride.RoleDriver)
		missing := trip[:len(trip)-6] + "abcdef"
		foreign, none := w.frames(trip, trip+".1"), w.frames(missing, missing+".1")
		for _, name := range []string{
			"cancel_trip", "accept_offer", "decline_offer", "arrived", "start_trip", "complete_trip", "rate_trip",
		} {
			for who, c := range map[ride.Role]*harness.Client{ride.RoleRider: strangerRider, ride.RoleDriver: strangerDriver} {
				if !allowed[who][name] {
					continue
				}
				a, b := bytesOf(t, c, foreign[name]), bytesOf(t, c, none[name])
				require.Equal(t, b, a, "%s by a %s", name, who)
				require.Contains(t, a, ride.ErrNotFound.Code)
			}
			// The loser had an offer, but never the trip. It does know its own offer.
			if name != "accept_offer" && name != "decline_offer" {
				require.Equal(t, bytesOf(t, loser, none[name]), bytesOf(t, loser, foreign[name]), "%s by a loser", name)
			}
		}
		for _, c := range []struct {
			role ride.Role
			name string
		}{{ride.RoleRider, strangerRider.Name}, {ride.RoleDriver, strangerDriver.Name}, {ride.RoleDriver, loser.Name}} {
			token := w.s.Token(c.role, c.name)
			status, body := w.s.Call(http.MethodGet, "/v1/trips/"+trip, token, "")
			problem(t, http.StatusNotFound, ride.ErrNotFound, status, body)
			_, other := w.s.Call(http.MethodGet, "/v1/trips/"+missing, token, "")
			require.Equal(t, other, body)
		}
	})
}
