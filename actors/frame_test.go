package actors

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// filled is a value of a type in which nothing is zero.
func filled(t *testing.T, v reflect.Value, n *int64) {
	*n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.UnixMicro(1_700_000_000_000_000 + *n).UTC()))
		return
	case reflect.TypeFor[*actor.PID]():
		v.Set(reflect.ValueOf(actor.NewPID("10.0.0.1:7946/in", "driver.in$"+string(rune('a'+*n%26)))))
		return
	case reflect.TypeFor[*ridepb.Reply]():
		v.Set(reflect.ValueOf(&ridepb.Reply{Id: "x", Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}))
		return
	case reflect.TypeFor[*ridepb.Offer]():
		v.Set(reflect.ValueOf(&ridepb.Offer{Id: "x.1", TripId: "x", Wave: 3}))
		return
	case reflect.TypeFor[*ridepb.WatchCity]():
		v.Set(reflect.ValueOf(&ridepb.WatchCity{Drivers: true, IntervalMs: uint32(*n)}))
		return
	case reflect.TypeFor[*ridepb.TripRoute]():
		v.Set(reflect.ValueOf(&ridepb.TripRoute{TripId: "x", Revision: uint32(*n), Polyline: "_p~iF~ps|U"}))
		return
	case reflect.TypeFor[*ridepb.CityChanged]():
		v.Set(reflect.ValueOf(&ridepb.CityChanged{Watch: uint32(*n), TripsGone: []string{"t"}}))
		return
	case reflect.TypeFor[error]():
		return // of a refusal, whose trip is not there; see TestRefusalsCross
	case reflect.TypeFor[json.RawMessage]():
		v.Set(reflect.ValueOf(json.RawMessage(`{"policy":"batch"}`)))
		return
	case reflect.TypeFor[geo.Heading]():
		v.Set(reflect.ValueOf(geo.HeadingOf(float64(*n % 360))))
		return
	case reflect.TypeFor[geo.Point]():
		v.Set(reflect.ValueOf(geo.Point{Lat: float64(*n%90) + 0.25, Lng: float64(*n%180) + 0.75}))
		return
	case reflect.TypeFor[ride.Command]():
		v.Set(reflect.ValueOf(ride.RateTrip{By: "r", Stars: 5, Comment: "ride"}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("s" + string(rune('a'+*n%26)))
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(*n)
	case reflect.Uint64, reflect.Uint32, reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(*n) / 4)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		filled(t, v.Index(0), n)
		filled(t, v.Index(1), n)
	case reflect.Struct:
		for i := range v.NumField() {
			filled(t, v.Field(i), n)
		}
	case reflect.Interface:
	default:
		t.Fatalf("a %s cannot be filled", v.Type())
	}
}

// everyMessage are the messages that cross, with every field set.
func everyMessage(t *testing.T) []any {
	var out []any
	n := int64(0)
	for _, typ := range []reflect.Type{
		reflect.TypeFor[tripCommand](), reflect.TypeFor[tripResult](), reflect.TypeFor[tripAttach](), reflect.TypeFor[tripWake](),
		reflect.TypeFor[offerQuery](), reflect.TypeFor[tripUpdate](), reflect.TypeFor[offerMade](), reflect.TypeFor[offerEnded](),
		reflect.TypeFor[driverReleased](), reflect.TypeFor[driverMoved](), reflect.TypeFor[routeMade](), reflect.TypeFor[driverNearby](), reflect.TypeFor[cellFind](),
		reflect.TypeFor[cellFound](), reflect.TypeFor[operatorAct](), reflect.TypeFor[operatorDone](),
		reflect.TypeFor[exchangeProposal](), reflect.TypeFor[exchangeOffer](), reflect.TypeFor[exchangeOutcome](),
		reflect.TypeFor[exchangeAsk](), reflect.TypeFor[exchangeState](), reflect.TypeFor[exchangeWritten](),
		reflect.TypeFor[tripGone](), reflect.TypeFor[takeOver](), reflect.TypeFor[takenOver](), reflect.TypeFor[cityLook](), reflect.TypeFor[cityPart](),
		reflect.TypeFor[matchNeed](), reflect.TypeFor[matchWord](), reflect.TypeFor[matchMade](),
	} {
		v := reflect.New(typ).Elem()
		filled(t, v, &n)
		out = append(out, v.Interface())
	}
	return out
}

// across sends a message to another node whose clock is ahead.
func across(t *testing.T, message any, ahead time.Duration) any {
	now := time.Now()
	f, err := newFrame(message, now)
	require.NoError(t, err)
	b, err := proto.Marshal(f)
	require.NoError(t, err)
	got := new(nodepb.NodeFrame)
	require.NoError(t, proto.Unmarshal(b, got))
	m, err := messageOf(got, now.Add(ahead))
	require.NoError(t, err, "%T", message)
	return m
}

// Every field of every message arrives on the other node.
func TestMessagesCross(t *testing.T) {
	for _, m := range everyMessage(t) {
		switch m := m.(type) {
		case cellFind:
			continue // below
		case tripResult:
			got, ok := across(t, m, 0).(tripResult)
			require.True(t, ok)
			require.True(t, proto.Equal(m.Reply, got.Reply))
			got.Reply = m.Reply
			requireSame(t, m, got)
		case takenOver:
			got, ok := across(t, m, time.Hour).(takenOver)
			require.True(t, ok)
			require.NotEmpty(t, m.Handover.Driver.Offers)
			for i, o := range m.Handover.Driver.Offers {
				require.True(t, proto.Equal(o.Shown, got.Handover.Driver.Offers[i].Shown))
				got.Handover.Driver.Offers[i].Shown = o.Shown
			}
			requireSame(t, m, got)
			require.Equal(t, takenOver{Account: "x", Generation: 7}, across(t, takenOver{Account: "x", Generation: 7}, 0))
		case cityLook:
			got, ok := across(t, m, time.Hour).(cityLook)
			require.True(t, ok)
			require.True(t, proto.Equal(m.Want, got.Want))
			got.Want = m.Want
			require.Equal(t, m, got)
		case routeMade:
			got, ok := across(t, m, time.Hour).(routeMade)
			require.True(t, ok)
			require.True(t, proto.Equal(m.Route, got.Route))
			got.Route = m.Route
			require.Equal(t, m, got)
		case cityPart:
			got, ok := across(t, m, time.Hour).(cityPart)
			require.True(t, ok)
			require.True(t, proto.Equal(m.Changed, got.Changed))
			got.Changed = m.Changed
			require.Equal(t, m, got)
		case matchMade:
			m.Driver.Snap = geo.Snap{} // other nodes find the street themselves
			requireSame(t, m, across(t, m, time.Hour))
		default:
			requireSame(t, m, across(t, m, time.Hour))
			requireSame(t, passedOn{m}, across(t, passedOn{m}, 0))
		}
	}
}

// A party sees the same of a trip and of its offers, whichever node its session is on.
func TestPartiesSeeTheSameFromAnotherNode(t *testing.T) {
	n := int64(0)
	for _, status := range ride.Statuses() {
		trip := new(ride.Trip)
		filled(t, reflect.ValueOf(trip).Elem(), &n)
		trip.Status, trip.Request.Pickup, trip.Request.Dropoff = status, pickup, dropoff
		got, ok := across(t, tripUpdate{Trip: trip}, 0).(tripUpdate)
		require.True(t, ok)
		for _, reader := range []view.Reader{
			{Account: trip.Request.Rider.ID, Role: ride.RoleRider}, {Account: trip.Driver.ID, Role: ride.RoleDriver}, {Account: "x", Role: ride.RoleDriver},
		} {
			require.True(t, proto.Equal(view.Trip(trip, reader), view.Trip(got.Trip, reader)), "%v", reader)
		}
		want, err := view.Offer(trip, &trip.Offers[0], 8)
		require.NoError(t, err)
		offered, ok := across(t, offerMade{Trip: trip, Offer: trip.Offers[0]}, 0).(offerMade)
		require.True(t, ok)
		shown, err := view.Offer(offered.Trip, &offered.Offer, 8)
		require.NoError(t, err)
		require.True(t, proto.Equal(want, shown))
	}
}

// requireSame compares messages; what a trip's actor and the store keep for themselves stays
// behind.
func requireSame(t *testing.T, want, got any) {
	t.Helper()
	for _, m := range []any{want, got} {
		v := reflect.ValueOf(m)
		if p, ok := m.(passedOn); ok {
			v = reflect.ValueOf(p.message)
		}
		if trip := v.FieldByName("Trip"); trip.IsValid() {
			if trip, ok := trip.Interface().(*ride.Trip); ok && trip != nil {
				if trip.Fence = 0; v.Type() != reflect.TypeFor[operatorDone]() {
					*trip = *forParty(trip)
				}
			}
		}
	}
	if found, ok := want.(cellFound); ok {
		for i := range found.Drivers {
			found.Drivers[i].Snap = geo.Snap{} // other nodes find the street themselves
		}
	}
	require.Equal(t, want, got)
}

// Commands cross, each of those that parties, drivers' actors and operators send.
func TestCommandsCross(t *testing.T) {
	n := int64(0)
	for kind, from := range crossing {
		c, err := from([]byte("{}"))
		require.NoError(t, err)
		v := reflect.New(reflect.TypeOf(c)).Elem()
		filled(t, v, &n)
		want := tripCommand{Command: v.Interface().(ride.Command)}
		got := across(t, want, 0)
		require.Equal(t, want, got, kind)
	}
	for _, own := range []ride.Command{ride.Tick{}, ride.OfferWave{}, ride.DriverNearby{}} {
		_, err := newFrame(tripCommand{Command: own}, time.Now())
		require.ErrorIs(t, err, errFrame, "%T is the trip's own", own)
	}
}

// An operator's refusal keeps its code, so that callers can branch on it.
func TestRefusalsCross(t *testing.T) {
	got, ok := across(t, operatorDone{Err: ride.ErrWrongStatus.In("x")}, 0).(operatorDone)
	require.True(t, ok)
	require.Equal(t, ride.ErrWrongStatus.In("x"), got.Err)
}

// What bounds a search is how long the asker still waits, whatever the other node's clock shows.
func TestASearchKeepsItsTimeAcrossClocks(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Hour, -time.Second, 0, time.Second, time.Hour} {
		before := time.Now()
		asked := cellFind{Search: 7, Pickup: pickup, Limit: 3, Disk: []geo.Cell{1, 2}, Until: before.Add(400 * time.Millisecond)}
		asked.Explain = &explain{Class: "van", Ring: 2, Excluded: []ride.AccountID{"d"}}
		got, ok := across(t, asked, ahead).(cellFind)
		require.True(t, ok)
		left := got.Until.Sub(before.Add(ahead))
		require.InDelta(t, 400*time.Millisecond, left, float64(time.Second), "the clock is %s ahead", ahead)
		got.Until = asked.Until
		require.Equal(t, asked, got)
	}
}

// Every message between actors that may be on two nodes crosses: a new one cannot be forgotten.
func TestEveryMessageHasAFrame(t *testing.T) {
	stays := map[string]bool{
		"commandKey": true, "passedOn": true, "explain": true, "exchangeMove": true, // parts of others
		"cellPut": true, "cellDrop": true, // a driver and its cell share a node
	}
	crosses := map[string]bool{}
	for _, m := range everyMessage(t) {
		crosses[reflect.TypeOf(m).Name()] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "message.go", nil, 0)
	require.NoError(t, err)
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			seen++
			require.NotEqual(t, crosses[spec.Name.Name], stays[spec.Name.Name], spec.Name.Name)
		}
		return true
	})
	require.Equal(t, len(crosses)+len(stays), seen)
	_, err = newFrame(joined{}, time.Now())
	require.ErrorIs(t, err, errFrame)
}

// A frame of a later version, or of a broken node, is an error and nothing worse.
func TestBadFrames(t *testing.T) {
	var later unknown
	for _, f := range []*nodepb.NodeFrame{
		{}, {Body: &nodepb.NodeFrame_TripCommand{TripCommand: &nodepb.TripCommand{Command: &nodepb.Command{Kind: "teleport"}}}},
		{Body: &nodepb.NodeFrame_TripCommand{}}, {Body: &nodepb.NodeFrame_OperatorAct{OperatorAct: &nodepb.OperatorAct{}}},
	} {
		_, err := messageOf(f, time.Now())
		require.ErrorAs(t, err, &later)
	}
	for _, f := range []*nodepb.NodeFrame{
		{Body: &nodepb.NodeFrame_TripResult{}},
		{Body: &nodepb.NodeFrame_TripResult{TripResult: &nodepb.TripResult{Reply: done(), Trip: []byte("{")}}},
		{Body: &nodepb.NodeFrame_TripUpdate{}}, {Body: &nodepb.NodeFrame_OfferMade{}}, {Body: &nodepb.NodeFrame_OfferEnded{}},
		{Body: &nodepb.NodeFrame_OperatorDone{}}, {Body: &nodepb.NodeFrame_CityPart{}}, {Body: &nodepb.NodeFrame_RouteMade{}},
		{Body: &nodepb.NodeFrame_TripCommand{TripCommand: &nodepb.TripCommand{Command: &nodepb.Command{Kind: "rate_trip", Data: []byte("[]")}}}},
	} {
		_, err := messageOf(f, time.Now())
		require.ErrorIs(t, err, errFrame, "%v", f)
	}
}

// A node reads any bytes that arrive, or says what is wrong with them.
func FuzzMessageOf(f *testing.F) {
	for _, m := range []any{tripAttach{Account: "r"}, driverReleased{Trip: "t", Driver: "d"}, cellFound{Search: 3}, passedOn{tripWake{}}} {
		frame, err := newFrame(m, time.Now())
		require.NoError(f, err)
		b, err := proto.Marshal(frame)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame := new(nodepb.NodeFrame)
		if proto.Unmarshal(b, frame) != nil {
			return
		}
		m, err := messageOf(frame, time.Now())
		if err != nil {
			return
		}
		_, err = newFrame(m, time.Now())
		require.NoError(t, err)
	})
}
