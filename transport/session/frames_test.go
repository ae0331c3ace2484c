package session

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
	"github.com/hexhail/hexhail/transport/ws"
)

// garbage is a message in neither encoding, though it is valid text.
var garbage = []byte{7}

func TestEveryRoleAndMessage(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, role := range []ride.Role{ride.RoleRider, ride.RoleDriver, ride.RoleOperator} {
			for k := kindConnect + 1; k < kinds; k++ {
				t.Run(string(role)+" "+frameSpecs[k].name, func(t *testing.T) {
					c, inbox := w.as(w.dial(t, codec, nil), string(role))
					f := sample(k, "m1")
					c.send(f)
					switch {
					case !frameSpecs[k].roles.has(role):
						c.refused("m1", ride.ErrWrongRole, "")
					case k == kindPing:
						at := c.reply("m1").GetPong().GetServerTime().AsTime()
						require.WithinDuration(t, time.Now(), at, time.Minute)
					case k == kindLocation:
						require.Equal(t, wantPosition(), next(t, inbox.locations))
					default:
						require.NotNil(t, c.reply("m1").GetDone())
						require.Empty(t, cmp.Diff(f, next(t, inbox.commands), protocmp.Transform()))
					}
					none(t, inbox.commands)
					none(t, inbox.locations)
				})
			}
		}
	})
}

func wantPosition() ride.Position {
	return ride.Position{
		Point: geo.Point{Lat: 37.4979, Lng: 127.0276}, HeadingDeg: 271.5, SpeedMPS: 8.25, AccuracyM: 5,
		DeviceTime: time.Unix(1_790_000_000, 120_000_000).UTC(),
	}
}

// Frames that were handed over must not be written to by later ones.
func TestACommandKeepsItsFrame(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		for _, id := range []string{"a", "b"} {
			c.send(sample(kindGoOnline, id))
			c.send(sample(kindLocation, ""))
			c.send(sample(kindPing, ""))
			c.reply(id)
			require.NotNil(t, c.reply("").GetPong())
		}
		for _, id := range []string{"a", "b"} {
			require.Empty(t, cmp.Diff(sample(kindGoOnline, id), next(t, inbox.commands), protocmp.Transform()))
		}
	})
}

func TestIDs(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		good := []string{"1", "!~", strings.Repeat("x", 64), "0190b5a4-7f1d-7c3e-9d53-000000000000"}
		bad := map[string]string{ // to what the answer repeats
			"": "", strings.Repeat("x", 65): "", "a b": "a b", "line\nfeed": "line\nfeed", "\x7f": "\x7f", "é": "é",
		}
		c, _ := w.as(w.dial(t, codec, nil), "driver")
		for _, id := range good {
			c.send(sample(kindGoOffline, id))
			require.NotNil(t, c.reply(id).GetDone())
		}
		for id, repeated := range bad {
			c.send(sample(kindGoOffline, id))
			c.refused(repeated, ride.ErrIDRequired, "")
			if id != "" {
				c.send(sample(kindPing, id))
				c.refused(repeated, ride.ErrIDRequired, "")
				c.send(sample(kindLocation, id))
				c.refused(repeated, ride.ErrIDRequired, "")
			}
		}
		c.send(sample(kindPing, ""))
		require.NotNil(t, c.reply("").GetPong())
	})
}

// TestWhatADeviceDidNotMeasureCostsNothing: however devices write that they do not know
// speed, course or accuracy, the position counts; on the fast path, in both forms, with an
// id, and in go_online.
func TestWhatADeviceDidNotMeasureCostsNothing(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := map[string]struct{ heading, speed, accuracy, wantHeading, wantSpeed, wantAccuracy float32 }{
		"iOS":           {-1, -1, -1, 0, 0, 0},
		"no numbers":    {nan, nan, nan, 0, 0, 0},
		"infinite":      {inf, inf, inf, 0, 0, view.MaxAccuracyM},
		"minus":         {-inf, -inf, -inf, 0, 0, 0},
		"full circle":   {360, 0, 0, 0, 0, 0},
		"more":          {360.5, 100.5, 100_001, 0, 0, view.MaxAccuracyM},
		"huge":          {1e30, 1e30, 1e30, 0, 0, view.MaxAccuracyM},
		"signed course": {-90, -0.5, -0.5, 0, 0, 0},
		"at the limits": {359.5, 100, view.MaxAccuracyM, 359.5, 100, view.MaxAccuracyM},
	}
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for name, tc := range cases {
			t.Run(name, func(t *testing.T) {
				if !codec.Binary() && (tc.heading != tc.heading || tc.heading-tc.heading != 0) {
					t.Skip("JSON has words for it, which the codec's own tests know")
				}
				c, inbox := w.as(w.dial(t, codec, nil), "driver")
				for i, id := range []string{"", "l1"} {
					f := sample(kindLocation, id)
					l := f.GetLocation()
					l.HeadingDeg, l.SpeedMps, l.AccuracyM = tc.heading, tc.speed, tc.accuracy
					l.DeviceTime.Nanos = int32(i) // no two are alike
					c.send(f)
					got := next(t, inbox.locations)
					require.Equal(t, [3]float32{tc.wantHeading, tc.wantSpeed, tc.wantAccuracy},
						[3]float32{got.HeadingDeg, got.SpeedMPS, got.AccuracyM})
				}
				g := sample(kindGoOnline, "g1")
				l := g.GetGoOnline().GetLocation()
				l.HeadingDeg, l.SpeedMps, l.AccuracyM = tc.heading, tc.speed, tc.accuracy
				c.send(g)
				require.Equal(t, "g1", next(t, inbox.commands).GetId())
			})
		}
	})
}

// TestADeviceThatDoesNotKnowTheTime: a time that cannot be true is as none, and the position
// counts; with one that can be, the filter judges.
func TestADeviceThatDoesNotKnowTheTime(t *testing.T) {
	date := func(year int) *timestamppb.Timestamp {
		return timestamppb.New(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
	}
	cases := map[string]struct {
		sent *timestamppb.Timestamp
		want bool
	}{
		"none": {nil, false}, "zero": {&timestamppb.Timestamp{}, false}, "negative": {&timestamppb.Timestamp{Seconds: -1}, false},
		"year 1": {date(1), false}, "before Unix": {date(1904), false}, "GPS epoch": {date(1980), false}, "never set": {date(2000), false},
		"1024 weeks ago": {date(2007), false}, "milliseconds as seconds": {&timestamppb.Timestamp{Seconds: 1_790_000}, false},
		"far future": {date(2200), false}, "last year": {date(9999), false}, "no year": {&timestamppb.Timestamp{Seconds: 1_790_000_000_000}, false},
		"no nanoseconds": {&timestamppb.Timestamp{Seconds: 1_790_000_000, Nanos: -1}, false},
		"the first":      {date(2020), true}, "wrong by years, perhaps": {date(2199), true},
	}
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for name, tc := range cases {
			t.Run(name, func(t *testing.T) {
				if !codec.Binary() && tc.sent != nil && tc.sent.CheckValid() != nil {
					t.Skip("JSON cannot say it")
				}
				c, inbox := w.as(w.dial(t, codec, nil), "driver")
				for _, id := range []string{"", "l1"} {
					f := sample(kindLocation, id)
					f.GetLocation().DeviceTime = tc.sent
					c.send(f)
					require.Equal(t, tc.want, !next(t, inbox.locations).DeviceTime.IsZero())
				}
				g := sample(kindGoOnline, "g1")
				g.GetGoOnline().GetLocation().DeviceTime = tc.sent
				c.send(g)
				require.Equal(t, "g1", next(t, inbox.commands).GetId())
			})
		}
	})
}

func TestFieldLimits(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	nowhere := &ridepb.Point{LatE7: 910000000}
	type edit = func(*ridepb.ClientFrame)
	location := func(set func(*ridepb.Location)) edit { return func(f *ridepb.ClientFrame) { set(f.GetLocation()) } }
	cases := []struct {
		k     kind
		field string
		err   *ride.Error
		bad   edit
	}{
		{kindLocation, "location.point", ride.ErrInvalidPoint, location(func(l *ridepb.Location) { l.Point = nil })},
		{kindLocation, "location.point", ride.ErrInvalidPoint, location(func(l *ridepb.Location) { l.Point = nowhere })},
		{kindLocation, "location.point", ride.ErrInvalidPoint, location(func(l *ridepb.Location) { l.Point = &ridepb.Point{} })},
		{kindLocation, "location.heading_deg", ride.ErrInvalidArgument, location(func(l *ridepb.Location) { l.HeadingDeg = 13 })}, // the actor's
		{kindGoOnline, "go_online.location.point", ride.ErrInvalidPoint, func(f *ridepb.ClientFrame) { f.GetGoOnline().Location.Point = nowhere }},
		{kindGetQuote, "get_quote.pickup", ride.ErrInvalidPoint, func(f *ridepb.ClientFrame) { f.GetGetQuote().Pickup = nil }},
		{kindGetQuote, "get_quote.dropoff", ride.ErrInvalidPoint, func(f *ridepb.ClientFrame) { f.GetGetQuote().Dropoff = nowhere }},
		{kindGetQuote, "get_quote.vehicle_class", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetGetQuote().VehicleClass = text(33) }},
		{kindRequestTrip, "request_trip.pickup", ride.ErrInvalidPoint, func(f *ridepb.ClientFrame) { f.GetRequestTrip().Pickup = nowhere }},
		{kindRequestTrip, "request_trip.dropoff", ride.ErrInvalidPoint, func(f *ridepb.ClientFrame) { f.GetRequestTrip().Dropoff = nil }},
		{kindRequestTrip, "request_trip.pickup_address", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRequestTrip().PickupAddress = text(201) }},
		{kindRequestTrip, "request_trip.dropoff_address", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRequestTrip().DropoffAddress = text(201) }},
		{kindRequestTrip, "request_trip.vehicle_class", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRequestTrip().VehicleClass = text(33) }},
		{kindRequestTrip, "request_trip.note", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRequestTrip().Note = text(501) }},
		{kindRequestTrip, "request_trip.note", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRequestTrip().Note = "N\x00UL" }},
		{kindCancelTrip, "cancel_trip.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetCancelTrip().TripId = "" }},
		{kindCancelTrip, "cancel_trip.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetCancelTrip().TripId = text(65) }},
		{kindCancelTrip, "cancel_trip.reason", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetCancelTrip().Reason = text(201) }},
		{kindAcceptOffer, "accept_offer.offer_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetAcceptOffer().OfferId = "" }},
		{kindAcceptOffer, "accept_offer.offer_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetAcceptOffer().OfferId = text(81) }},
		{kindDeclineOffer, "decline_offer.offer_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetDeclineOffer().OfferId = "" }},
		{kindDeclineOffer, "decline_offer.reason", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetDeclineOffer().Reason = text(201) }},
		{kindArrived, "arrived.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetArrived().TripId = "" }},
		{kindStartTrip, "start_trip.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetStartTrip().TripId = "" }},
		{kindStartTrip, "start_trip.pin", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetStartTrip().Pin = text(17) }},
		{kindCompleteTrip, "complete_trip.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetCompleteTrip().TripId = "" }},
		{kindRateTrip, "rate_trip.trip_id", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRateTrip().TripId = "" }},
		{kindRateTrip, "rate_trip.stars", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRateTrip().Stars = 0 }},
		{kindRateTrip, "rate_trip.stars", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRateTrip().Stars = 6 }},
		{kindRateTrip, "rate_trip.comment", ride.ErrInvalidArgument, func(f *ridepb.ClientFrame) { f.GetRateTrip().Comment = text(501) }},
	}
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, tc := range cases {
			t.Run(tc.field, func(t *testing.T) {
				role := "driver"
				if !frameSpecs[tc.k].roles.has(ride.RoleDriver) {
					role = "rider"
				}
				c, inbox := w.as(w.dial(t, codec, nil), role)
				f := sample(tc.k, "m1")
				tc.bad(f)
				c.send(f)
				c.refused("m1", tc.err, tc.field)
				none(t, inbox.commands)
				none(t, inbox.locations)
				if tc.k == kindLocation {
					f.Id = ""
					c.send(f)
					c.refused("", tc.err, tc.field)
				}
			})
		}
	})
}

func TestDeviceTimeIsOptional(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		f := sample(kindLocation, "")
		f.GetLocation().DeviceTime = nil
		c.send(f)
		require.True(t, next(t, inbox.locations).DeviceTime.IsZero())
	})
}

func TestGoOnlineNeedsNoLocation(t *testing.T) {
	w := listen(t)
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		f := sample(kindGoOnline, "m1")
		f.GetGoOnline().Location = nil
		c.send(f)
		require.NotNil(t, c.reply("m1").GetDone())
		require.Nil(t, next(t, inbox.commands).GetGoOnline().GetLocation())
	})
}

func TestMalformedFrames(t *testing.T) {
	w := listen(t)
	type input struct {
		name, id, field string
		op              ws.Op
		data            []byte
	}
	binary := func(fields ...[]byte) []byte {
		var out []byte
		for _, f := range fields {
			out = append(out, f...)
		}
		return out
	}
	id := append(protowire.AppendTag(nil, 1, protowire.BytesType), "\x02m1"...)
	inputs := map[wire.Codec][]input{
		wire.JSON: {
			{"nothing", "", "", ws.OpText, nil},
			{"not JSON", "", "", ws.OpText, []byte("hello")},
			{"no body", "m1", "", ws.OpText, []byte(`{"id":"m1"}`)},
			{"unknown body", "m1", "", ws.OpText, []byte(`{"id":"m1","make_coffee":{}}`)},
			{"two bodies", "m1", "go_offline", ws.OpText, []byte(`{"id":"m1","ping":{},"go_offline":{}}`)},
			{"case variant", "m1", "", ws.OpText, []byte(`{"id":"m1","Ping":{}}`)},
			{"binary frame", "", "", ws.OpBinary, []byte(`{"id":"m1","ping":{}}`)},
		},
		wire.Binary: {
			{"nothing", "", "", ws.OpBinary, nil},
			{"not protobuf", "", "", ws.OpBinary, []byte{0xff}},
			{"no body", "m1", "", ws.OpBinary, id},
			{"unknown body", "m1", "", ws.OpBinary, binary(id, protowire.AppendTag(nil, 99, protowire.BytesType), []byte{0})},
			{"cut short", "m1", "ping", ws.OpBinary, binary(id, protowire.AppendTag(nil, 3, protowire.BytesType), []byte{9})},
			{"text frame", "", "", ws.OpText, id},
		},
	}
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		for _, in := range inputs[codec] {
			t.Run(in.name, func(t *testing.T) {
				c, _ := w.as(w.dial(t, codec, nil), "rider")
				c.raw(in.op, in.data)
				c.refused(in.id, ride.ErrMalformed, in.field)
				c.send(sample(kindPing, "ping"))
				require.NotNil(t, c.reply("ping").GetPong(), "the session continues")
			})
		}
	})
}

func TestTooManyRefusedFramesInARow(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		w := listen(t)
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		bad := func(n int) {
			for range n {
				c.raw(c.op(), garbage)
				c.refused("", ride.ErrMalformed, "")
			}
		}
		bad(20)
		c.send(sample(kindPing, ""))
		c.reply("")
		bad(21)
		c.closed(ridepb.CloseTooManyErrors)
		gone(t, inbox.left)
	})
}

func TestCommandRate(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c, inbox := w.as(w.pipe(t, codec), "rider")
			for range 50 {
				c.send(sample(kindGetQuote, "q"))
				require.NotNil(t, c.reply("q").GetDone())
			}
			c.send(sample(kindGetQuote, "beyond"))
			e := c.refused("beyond", ride.ErrTooMany, "")
			require.Equal(t, uint32(50), e.GetRetryAfterMs())
			require.Len(t, inbox.commands, 50)

			time.Sleep(time.Duration(e.GetRetryAfterMs()) * time.Millisecond)
			c.send(sample(kindGetQuote, "again"))
			require.NotNil(t, c.reply("again").GetDone())
		})
	})
}

func TestLocationRate(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c, inbox := w.as(w.pipe(t, codec), "driver")
			for range 50 {
				c.send(sample(kindLocation, "id"))
			}
			c.send(sample(kindPing, "then"))
			require.NotNil(t, c.reply("then").GetPong(), "dropped without a word, and without using up commands")
			require.Len(t, inbox.locations, 20)
			require.InDelta(t, 30, metric(t, w.h.metrics, "hexhail_session_locations_dropped_total"), 0)

			time.Sleep(100 * time.Millisecond)
			c.send(sample(kindLocation, ""))
			c.send(sample(kindPing, "then"))
			c.reply("then")
			require.Len(t, inbox.locations, 21)
		})
	})
}

func TestFloodsEndTheSession(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c, inbox := w.as(w.pipe(t, codec), "driver")
			for range 399 { // and connect
				c.send(sample(kindLocation, ""))
			}
			c.send(sample(kindLocation, ""))
			c.refused("", ride.ErrTooMany, "")
			c.closed(ridepb.CloseTooManyErrors)
			gone(t, inbox.left)
		})
	})
}

func TestCommandsInFlightAreBounded(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		w := listen(t, func(c *Config, w *world) { c.CommandBurst, w.router.hold = 1000, true })
		c, inbox := w.as(w.dial(t, codec, nil), "rider")
		for range 64 {
			c.send(sample(kindGetQuote, "q"))
			next(t, inbox.commands)
		}
		c.send(sample(kindGetQuote, "beyond"))
		require.Positive(t, c.refused("beyond", ride.ErrTooMany, "").GetRetryAfterMs())
		c.send(sample(kindPing, "ping"))
		require.NotNil(t, c.reply("ping").GetPong(), "the session's own answers are not in flight")
		c.send(sample(kindGetQuote, "beyond"))
		c.refused("beyond", ride.ErrTooMany, "")

		inbox.join.Out.Reply(done("q"))
		c.reply("q")
		c.send(sample(kindGetQuote, "fits"))
		require.Equal(t, "fits", next(t, inbox.commands).GetId())
		c.send(sample(kindGetQuote, "beyond"))
		c.refused("beyond", ride.ErrTooMany, "")
	})
}

// However long the server takes, and whatever it cannot do right now, its clients may come
// back: only their own mistakes and floods end a session for good.
func TestTheServersBacklogNeverEndsASession(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		w := listen(t, func(c *Config, w *world) { c.CommandBurst, c.LocationBurst, w.router.hold = 1000, 1000, true })
		c, inbox := w.as(w.dial(t, codec, nil), "driver")
		for range 64 {
			c.send(sample(kindGoOffline, "waits"))
			next(t, inbox.commands)
		}
		for range 60 {
			c.send(sample(kindGoOffline, "beyond"))
			require.Positive(t, c.refused("beyond", ride.ErrTooMany, "").GetRetryAfterMs())
		}
		for range 60 {
			f := sample(kindLocation, "unheard")
			f.GetLocation().HeadingDeg = 14
			c.send(f)
			c.refused("unheard", ride.ErrUnavailable, "")
		}
		c.send(sample(kindPing, "ping"))
		require.NotNil(t, c.reply("ping").GetPong())
		none(t, inbox.commands)

		// Nor do they hide the client's own mistakes.
		for range 21 {
			c.send(sample(kindGoOffline, "beyond"))
			c.refused("beyond", ride.ErrTooMany, "")
			c.raw(c.op(), garbage)
			c.refused("", ride.ErrMalformed, "")
		}
		c.closed(ridepb.CloseTooManyErrors)
	})
}

// A client that keeps sending faster than the rate is the flooder that 4505 is meant for.
func TestAFloodOfCommandsEndsTheSession(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c, _ := w.as(w.pipe(t, codec), "rider")
			for range 50 {
				c.send(sample(kindGetQuote, "q"))
				c.reply("q")
			}
			for range 21 {
				c.send(sample(kindGetQuote, "flood"))
				c.refused("flood", ride.ErrTooMany, "")
			}
			c.closed(ridepb.CloseTooManyErrors)
		})
	})
}

func TestSurplusRepliesMakeNoRoom(t *testing.T) {
	w := listen(t, func(c *Config, w *world) { c.MaxInFlight, w.router.hold = 1, true })
	c, inbox := w.as(w.dial(t, wire.JSON, nil), "rider")
	for range 3 {
		inbox.join.Out.Reply(done("nobody asked"))
		c.reply("nobody asked")
	}
	c.send(sample(kindGetQuote, "one"))
	c.send(sample(kindGetQuote, "two"))
	c.refused("two", ride.ErrTooMany, "")
	require.Equal(t, "one", next(t, inbox.commands).GetId())
	none(t, inbox.commands)
}

// A frame that its actor does not answer in time is refused, with a hint, and its room is
// free again; what the actor says too late is dropped, unless the client has asked again.
func TestEveryFrameIsAnsweredInTime(t *testing.T) {
	inBoth(t, func(t *testing.T, codec wire.Codec) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *Config, w *world) { c.MaxInFlight, w.router.hold = 2, true })
			c, inbox := w.as(w.pipe(t, codec), "rider")
			begun := time.Now()
			c.send(sample(kindGetQuote, "one"))
			time.Sleep(4 * time.Second)
			c.send(sample(kindGetQuote, "two"))
			for i, id := range []string{"one", "two"} {
				require.Positive(t, c.refused(id, ride.ErrUnavailable, "").GetRetryAfterMs())
				require.Equal(t, 10*time.Second+time.Duration(4*i)*time.Second, time.Since(begun))
			}
			require.Zero(t, inbox.join.Out.(*session).unanswered.open())
			inbox.join.Out.Reply(done("one")) // too late
			c.send(sample(kindGetQuote, "two"))
			c.send(sample(kindGetQuote, "three"))
			synctest.Wait()
			inbox.join.Out.Reply(done("two")) // for both that were asked
			inbox.join.Out.Reply(done("two"))
			inbox.join.Out.Reply(done("three"))
			require.NotNil(t, c.reply("two").GetDone())
			require.NotNil(t, c.reply("three").GetDone())
			require.Equal(t, 14*time.Second, time.Since(begun))
			time.Sleep(time.Minute) // nothing is refused that was answered
			c.send(sample(kindPing, "ping"))
			require.NotNil(t, c.reply("ping").GetPong())
		})
	})
}

// A connect that the account's actor does not answer ends like any other that the server
// cannot serve.
func TestEveryConnectIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ *Config, w *world) { w.router.mute = true })
		c := w.pipe(t, wire.JSON)
		c.send(&ridepb.ClientFrame{Id: "connect", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: "rider"}}})
		require.Positive(t, c.refused("connect", ride.ErrUnavailable, "").GetRetryAfterMs())
		c.closed(ridepb.CloseOverloaded)
		gone(t, next(t, w.router.inboxes).left)
	})
}

// A mistake behind one session must not end the others.
func TestAPanicEndsOnlyItsSession(t *testing.T) {
	w := listen(t)
	bystander, _ := w.as(w.dial(t, wire.JSON, nil), "rider")
	c, inbox := w.as(w.dial(t, wire.JSON, nil), "driver")
	c.send(sample(kindGoOffline, "panic"))
	require.Positive(t, c.closed(ridepb.CloseInternal).GetDisconnecting().GetRetryAfterMs())
	gone(t, inbox.left)
	bystander.send(sample(kindPing, "ping"))
	bystander.reply("ping")
}
