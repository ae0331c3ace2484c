package e2e

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	polyline "github.com/twpayne/go-polyline"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// secret is something that only some parties may see, as the bytes that would carry it.
type secret struct {
	what  string
	bytes []byte
}

func text(what, s string) secret { return secret{what, []byte(s)} }

// place is a precise point as an encoding writes it. JSON has its digits; protobuf
// the varint of the latitude, behind its field number.
func place(what string, p geo.Point, codec wire.Codec) secret {
	e7 := view.Point(p).GetLatE7()
	if codec.Binary() {
		b := protowire.AppendTag(nil, 1, protowire.VarintType)
		return secret{what, protowire.AppendVarint(b, protowire.EncodeZigZag(int64(e7)))}
	}
	return secret{what, []byte(strconv.FormatFloat(float64(e7)/1e7, 'f', -1, 64))}
}

// none requires that messages contain none of the secrets.
func none(t *testing.T, who string, messages [][]byte, secrets ...secret) {
	t.Helper()
	for _, m := range messages {
		for _, s := range secrets {
			require.False(t, bytes.Contains(m, s.bytes), "%s got %s: %q", who, s.what, m)
		}
	}
}

// all requires that each of the secrets arrived: otherwise a search for it proves nothing.
func all(t *testing.T, who string, messages [][]byte, secrets ...secret) {
	t.Helper()
	joined := bytes.Join(messages, nil)
	for _, s := range secrets {
		require.True(t, bytes.Contains(joined, s.bytes), "%s never got %s", who, s.what)
	}
}

// routes are those that a client has received, in whichever message.
func routes(c *harness.Client) (out []*ridepb.TripRoute) {
	for _, e := range c.Events() {
		if r := e.GetRouteChanged().GetRoute(); r != nil {
			out = append(out, r)
		}
	}
	for _, r := range c.Replies() {
		if r := r.GetConnected().GetRoute(); r != nil {
			out = append(out, r)
		}
	}
	return out
}

// line reads the line of a route.
func line(t *testing.T, r *ridepb.TripRoute) (out []geo.Point) {
	t.Helper()
	coords, rest, err := polyline.DecodeCoords([]byte(r.GetPolyline()))
	require.NoError(t, err)
	require.Empty(t, rest)
	for _, c := range coords {
		out = append(out, geo.Point{Lat: c[0], Lng: c[1]})
	}
	return out
}

// noLineNear requires that no route of a client comes near a place, and that none has turns.
func noLineNear(t *testing.T, c *harness.Client, place geo.Point, metres float64) {
	t.Helper()
	for _, r := range routes(c) {
		require.Empty(t, r.GetSteps())
		for _, p := range line(t, r) {
			require.Greater(t, geo.DistanceM(p, place), metres, "%v", r)
		}
	}
}

// Every byte that each party of a ride receives is searched for what that party may not, or not
// yet, see.
func TestNoLeaks(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start("--trip-pin"), codec)
		w.at = geo.Point{Lat: w.at.Lat + 0.0123457, Lng: w.at.Lng + 0.0234569}
		w.to = geo.Point{Lat: w.at.Lat + 0.0345671, Lng: w.at.Lng + 0.0456783}
		noLeaks(t, w)
	})
}

// On streets, ETAs, lengths and fares come from the map.
func TestNoLeaksOnStreets(t *testing.T) {
	t.Parallel()
	for _, codec := range []wire.Codec{wire.JSON, wire.Binary} {
		w := newWorld(t, harness.Start(t, harness.Options{Flags: []string{"--trip-pin", streetsFlag(t)}}), codec)
		w.at = geo.Point{Lat: midtown.Lat + 0.0003457, Lng: midtown.Lng + 0.0004569}
		w.to = geo.Point{Lat: uptown.Lat + 0.0005671, Lng: uptown.Lng + 0.0006783}
		noLeaks(t, w)
	}
}

func noLeaks(t *testing.T, w *world) {

	rider, winner := w.rider(), w.driver(150)
	quitter, loser := w.driver(40), w.driver(420)
	remote := w.driver(25_000) // online, but never asked
	stranger, strangerDriver := w.rider(), func() *harness.Client { d, _ := w.join(ride.RoleDriver); return d }()

	riders := []secret{
		text("the rider's name", rider.Name), text("the note", "blue door behind the bakery"),
		text("the pickup's address", "17 Pickup Lane"), text("the dropoff's address", "4 Dropoff Road"),
		place("the pickup", w.at, w.codec), place("the dropoff", w.to, w.codec),
	}
	of := func(d *harness.Client, at geo.Point) []secret {
		return []secret{text("a driver's name", d.Name), text("a driver's plate", "HX "+d.Name), place("a driver's position", at, w.codec)}
	}
	winnerAt := geo.Destination(w.at, 0, 150)

	f := harness.Request(w.at, w.to)
	q := f.GetRequestTrip()
	q.Note, q.PickupAddress, q.DropoffAddress = "blue door behind the bakery", "17 Pickup Lane", "4 Dropoff Road"
	trip := rider.Ask(f).GetTrip().GetId()
	for _, d := range []*harness.Client{quitter, winner, loser} {
		d.Offer(trip)
		none(t, "an asked driver", d.Raw(), riders...)
		require.Empty(t, routes(d), "an asked driver got a line")
	}
	none(t, "the rider, before the match,", rider.Raw(), append(of(winner, winnerAt), of(quitter, geo.Destination(w.at, 0, 40))...)...)

	// One driver has the trip and gives it back; from then on it receives none of that.
	w.accept(quitter, &ridepb.Trip{Id: trip})
	all(t, "the first winner", quitter.Raw(), riders...)
	require.NotNil(t, quitter.Ask(harness.Cancel(trip)).GetDone())
	quitter.Await("the trip's return", 0, func(e *ridepb.Event) bool { return e.GetTripUpdated().GetChange() == "released" })
	afterwards := len(quitter.Raw())
	quitter.Ask(harness.GoOffline())

	// It is offered again, and runs to its end.
	first := winner.Offer(trip).GetId()
	again := winner.Await("the second offer", 0, func(e *ridepb.Event) bool {
		o := e.GetOfferReceived().GetOffer()
		return o.GetTripId() == trip && o.GetId() != first
	}).GetOfferReceived().GetOffer()
	none(t, "the winner, before the match,", winner.Raw(), riders...)
	require.Equal(t, ridepb.Trip_matched, winner.Ask(harness.Accept(again.GetId())).GetTrip().GetStatus())
	matched := rider.Await("the second match", 0, func(e *ridepb.Event) bool {
		return e.GetTripUpdated().GetTrip().GetDriver().GetFirstName() == winner.Name
	}).GetTripUpdated().GetTrip()
	pin := text("the PIN", matched.GetPin())
	moved := geo.Destination(w.at, 0, 140)
	winner.Send(harness.At(moved))
	rider.Await("the move", 0, func(e *ridepb.Event) bool { return e.GetDriverMoved() != nil })
	winner.Ask(harness.Arrived(trip))
	require.Equal(t, ridepb.Trip_in_progress, winner.Ask(harness.StartTrip(trip, matched.GetPin())).GetTrip().GetStatus())
	require.Equal(t, ridepb.Trip_completed, winner.Ask(harness.Complete(trip)).GetTrip().GetStatus())
	rider.Status(trip, ridepb.Trip_completed)
	last := geo.Destination(w.at, 0, 90)
	winner.Send(harness.At(last)) // after the ride, the rider must not see this
	winner.Ask(harness.Rate(trip, 2))
	rider.Ask(harness.Rate(trip, 1))
	for _, c := range []*harness.Client{rider, winner, quitter, loser, remote, stranger, strangerDriver} {
		c.Ask(harness.Ping()) // everything in flight has arrived
	}

	require.NotEmpty(t, routes(winner))
	require.NotEmpty(t, routes(rider))
	noLineNear(t, rider, winnerAt, 8) // where the winner was before the match
	noLineNear(t, rider, geo.Destination(w.at, 0, 40), 8)
	for _, c := range []*harness.Client{loser, remote, stranger, strangerDriver} {
		require.Empty(t, routes(c), "a line for someone else")
	}
	all(t, "the winner", winner.Raw(), riders...)
	all(t, "the rider", rider.Raw(), text("the name", winner.Name), text("the plate", "HX "+winner.Name), place("the move", moved, w.codec))
	for who, c := range map[string]*harness.Client{
		"the loser": loser, "an un-offered driver": remote, "another rider": stranger, "a driver who is offline": strangerDriver,
	} {
		none(t, who, c.Raw(), riders...)
		none(t, who, c.Raw(), of(winner, moved)...)
		none(t, who, c.Raw(), of(quitter, geo.Destination(w.at, 0, 40))...)
	}
	none(t, "the driver who gave the trip back", quitter.Raw()[afterwards:], append(riders, of(winner, moved)...)...)
	none(t, "the rider", rider.Raw(), place("the driver's position before the match", winnerAt, w.codec),
		place("the driver's position after the ride", last, w.codec), place("the loser's place", geo.Destination(w.at, 0, 420), w.codec),
		text("the loser's name", loser.Name), text("the loser's plate", "HX "+loser.Name))
	if !w.codec.Binary() { // 4 digits occur anywhere by chance, except as a quoted word
		pin.bytes = []byte(`"` + string(pin.bytes) + `"`)
		none(t, "the winner", winner.Raw(), pin)
	}
	require.NotContains(t, w.s.Log(), rider.Name, "names must not be logged")
}
