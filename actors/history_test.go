package actors

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// someEvent is an event as people get it; small and large ones are equally frequent.
func someEvent(r *rand.Rand) *ridepb.Event {
	switch r.IntN(4) {
	case 0: // what a driver receives about a trip that it gave back: the smallest trip event
		return &ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{
			Change: ride.KindReleased, Trip: &ridepb.Trip{Id: "t", Version: 1, Status: ridepb.Trip_requested},
		}}}
	case 1:
		return &ridepb.Event{Body: &ridepb.Event_OfferClosed{OfferClosed: &ridepb.OfferClosed{
			OfferId: strings.Repeat("o", 1+r.IntN(60)), Outcome: ridepb.OfferClosed_withdrawn, Reason: ride.ReasonTaken,
		}}}
	case 2:
		return &ridepb.Event{Body: &ridepb.Event_OfferReceived{OfferReceived: &ridepb.OfferReceived{
			Offer: &ridepb.Offer{Id: "o", TripId: "t", PickupArea: view.Point(pickup), PickupRadiusM: 500},
		}}}
	}
	t := busyTrip(int64(1 + r.IntN(1000)))
	t.Request.Note = strings.Repeat("\"", r.IntN(500))
	return &ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{
		Trip: view.Trip(t, view.Reader{Account: t.Driver.ID, Role: ride.RoleDriver}), Change: ride.KindMatched,
	}}}
}

// From any cursor a client gets exactly the events that followed it, or learns that they are
// lost; lost events stay lost.
func TestResumeFromAnywhere(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 8))
		h := newHistory(512 + r.IntN(MaxHistory/4))
		var all []*ridepb.Event // event n at index n-1
		lost := uint32(0)       // cursors before this one are lost
		for range 300 {
			e := someEvent(r)
			h.add(e)
			all = append(all, e)
			require.EqualValues(t, len(all), h.seq)
			if r.IntN(20) > 0 {
				continue
			}
			kept := false
			for seq := range h.seq + 1 {
				missed, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: seq})
				if !ok {
					require.False(t, kept, "a gap in the kept events")
					lost = max(lost, seq+1)
					continue
				}
				kept = true
				require.GreaterOrEqual(t, seq, lost, "found again")
				require.Len(t, missed, int(h.seq-seq))
				for i, e := range missed {
					require.True(t, proto.Equal(all[int(seq)+i], e), "event %d", int(seq)+i+1)
				}
			}
			require.True(t, kept)
		}
		for what, resume := range map[string]*ridepb.Resume{
			"nothing": nil, "the future": {Epoch: h.epoch, Seq: h.seq + 1}, "another epoch": {Epoch: "x", Seq: h.seq},
		} {
			_, ok := h.since(resume)
			require.False(t, ok, what)
		}
		missed, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: h.seq})
		require.True(t, ok)
		require.Empty(t, missed)
	}
}

// A history never exceeds its limit in bytes, whatever the events, and keeps as many as fit.
func TestHistoryIsBounded(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 9))
		h := newHistory(MaxHistory)
		largest := 0
		for range 2000 {
			e := someEvent(r)
			h.add(e)
			largest = max(largest, proto.Size(e)+eventFee)
			cost := 0
			for _, k := range h.kept {
				cost += int(k.size) + eventFee
			}
			require.Equal(t, h.cost, cost)
			require.LessOrEqual(t, cost, MaxHistory)
			require.LessOrEqual(t, cap(h.buf), MaxHistory)
		}
		require.Greater(t, h.cost, MaxHistory-largest, "it forgets only what does not fit")
		require.LessOrEqual(t, cap(h.kept)*16, MaxHistory/2)
	}
	h := newHistory(512)
	h.add(someEvent(rand.New(rand.NewPCG(1, 1))))
	h.add(&ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{Trip: &ridepb.Trip{Note: strings.Repeat("x", 600)}}}})
	_, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 1})
	require.False(t, ok, "an event that does not fit at all is lost")
	_, ok = h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 2})
	require.True(t, ok)
}

// A whole history in JSON fits the default outbox of a session, with room to spare for the snapshot
// before it, even one of the smallest events.
func TestReplayFitsAnOutbox(t *testing.T) {
	const outbox, frameCharge, snapshot = 256 << 10, 64, 16 << 10
	r := rand.New(rand.NewPCG(1, 2))
	for what, next := range map[string]func() *ridepb.Event{
		"any": func() *ridepb.Event { return someEvent(r) },
		"nothing": func() *ridepb.Event {
			return &ridepb.Event{Body: &ridepb.Event_OfferClosed{OfferClosed: &ridepb.OfferClosed{}}}
		},
		"empty trips": func() *ridepb.Event {
			return &ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{
				Trip: &ridepb.Trip{Id: "01a203e7-45e9-77b4-a504-b69332d97932"},
			}}}
		},
		"quotes": func() *ridepb.Event {
			return &ridepb.Event{Body: &ridepb.Event_TripUpdated{TripUpdated: &ridepb.TripUpdated{Trip: &ridepb.Trip{Note: strings.Repeat(`"`, 500)}}}}
		},
	} {
		h := newHistory(MaxHistory)
		for range 2000 {
			h.add(next())
		}
		missed, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: h.seq - uint32(len(h.kept))})
		require.True(t, ok)
		size := 0
		for _, e := range missed {
			data, err := wire.JSON.EncodeServer(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: e}})
			require.NoError(t, err)
			size += len(data) + frameCharge
		}
		require.Less(t, size, outbox-snapshot, what)
		t.Logf("%s: %d events, %d bytes of JSON", what, len(missed), size)
	}
}

// Events that no client can have missed are forgotten and their memory is released; their numbers
// still count.
func TestHistoryExpires(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.HistoryAge, c.Linger, c.Rules.SearchFor = 3*time.Minute, 2*time.Minute, 2*time.Minute
	}, func(w *world) {
		r := w.rider("rob")
		epoch := r.connected().GetEpoch()
		requested := r.request().GetTrip()
		pass(2 * time.Minute) // the search is over by then
		require.NotNil(t, requested)
		seq := uint32(len(r.box.all()))
		require.Greater(t, seq, uint32(1))

		r.connect(&ridepb.Resume{Epoch: epoch, Seq: 0})
		require.True(t, r.connected().GetResumed(), "still there")
		require.Len(t, r.box.all(), int(seq))

		pass(2 * time.Minute) // the first of them are over three minutes old
		r.connect(&ridepb.Resume{Epoch: epoch, Seq: 0})
		require.False(t, r.connected().GetResumed(), "forgotten")
		r.connect(&ridepb.Resume{Epoch: epoch, Seq: seq - 1})
		require.True(t, r.connected().GetResumed(), "the newest has not expired")
		require.Len(t, r.box.all(), 1)

		pass(4 * time.Minute)
		r.connect(&ridepb.Resume{Epoch: epoch, Seq: seq})
		require.True(t, r.connected().GetResumed(), "the numbering continues when nothing is kept")
		require.Equal(t, seq, r.connected().GetSeq())
	})
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(MaxHistory)
		r := rand.New(rand.NewPCG(3, 3))
		for range 500 {
			h.add(someEvent(r))
		}
		time.Sleep(time.Minute)
		h.add(someEvent(r))
		next, left := h.expire(time.Minute)
		require.True(t, left)
		require.Equal(t, time.Minute, next)
		require.LessOrEqual(t, cap(h.buf), 4096, "the memory of the others is released")
		missed, ok := h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 500})
		require.True(t, ok)
		require.Len(t, missed, 1)
		time.Sleep(time.Minute)
		_, left = h.expire(time.Minute)
		require.False(t, left)
		require.Nil(t, h.buf)
		h.add(someEvent(r))
		missed, ok = h.since(&ridepb.Resume{Epoch: h.epoch, Seq: 501})
		require.True(t, ok)
		require.Len(t, missed, 1)
	})
}
