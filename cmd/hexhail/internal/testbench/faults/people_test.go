package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// lasts is a duration from the environment, or a default that suits go test.
func lasts(tb testing.TB, name string, fallback time.Duration) time.Duration {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	d, err := time.ParseDuration(text)
	require.NoError(tb, err, "%s must be a duration", name)
	return d
}

// people is a simulated city that keeps running while something happens to its server. Its history
// is kept, to be compared with the database.
type people struct {
	*city.City
	tb       testing.TB
	drivers  int64
	recorder *check.Recorder
	history  bytes.Buffer
	end      func()
}

// newPeople starts a city with this many drivers, in both encodings. It has no random disconnects
// and no end; grace is how late the end of an offer may arrive.
func newPeople(tb testing.TB, s *harness.Server, drivers int, perMinute float64, grace time.Duration) *people {
	tb.Helper()
	requests, taxis, err := nyc.Peak(demand.Filter{Area: nyc.Manhattan})
	require.NoError(tb, err)
	for i := range taxis {
		taxis[i].From = 0
	}
	b := city.DefaultBehaviour()
	b.Losses, b.Patience = 0, time.Hour
	p := &people{tb: tb, drivers: int64(drivers)}
	p.recorder = check.NewRecorder(&p.history)
	p.City, err = city.New(city.Config{
		URLs: []string{s.WS}, Codecs: []wire.Codec{wire.Binary, wire.JSON},
		Token:    func(role, name string) (string, error) { return s.Token(ride.Role(role), name), nil },
		Requests: demand.NewStream(requests, perMinute, 1), Taxis: demand.Fleet(taxis, drivers, 1),
		Router: city.Straight{SpeedMPS: 16 / 3.6, Detour: 1.4}, Seed: 1, Behaviour: b, Speed: citySpeed,
		TripInterval: time.Second, IdleInterval: 2 * time.Second, Grace: grace, Recorder: p.recorder, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(tb, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(p.end)
	return p
}

// citySpeed is the speed of simulated time; cityFlags are the flags that the server needs for it.
const citySpeed = 60

var cityFlags = []string{"--position-max-speed=20000"}

// ride waits until more further trips have been completed.
func (p *people) ride(patience time.Duration, more int64) {
	p.tb.Helper()
	before := p.Stats.Completed.Load()
	until(p.tb, patience, func() error {
		if n := p.Stats.Completed.Load() - before; n < more {
			return errors.New("the city no longer completes trips")
		}
		return nil
	})
}

// arrived waits until all drivers are online.
func (p *people) arrived() {
	p.tb.Helper()
	until(p.tb, patience, func() error {
		if n := p.Stats.Online.Load(); n < p.drivers {
			return fmt.Errorf("%d of %d drivers are online", n, p.drivers)
		}
		return nil
	})
}

// verdict stops the city and requires that no promise was broken.
func (p *people) verdict() []check.Record {
	p.tb.Helper()
	p.end()
	r := p.Report()
	require.False(p.tb, r.Broken(), "%+v", r)
	require.NoError(p.tb, p.recorder.Close())
	history, err := check.ReadHistory(&p.history)
	require.NoError(p.tb, err)
	return history
}

// kept requires that the store of a stopped server holds every answer that the city received,
// unchanged, and that the history of every trip is complete. It returns the numbers of answers and
// trips checked.
func kept(t *testing.T, s *persistence.Store, history []check.Record) (answers, trips int) {
	t.Helper()
	accounts := make(map[string]ride.AccountID)
	seen := make(map[string]bool)
	for _, r := range history {
		if r.What == check.Connected {
			accounts[r.Who] = ride.AccountID(r.Account)
		}
		if r.What != check.Return || r.Op == "online" {
			continue
		}
		answers++
		stored, err := s.Command(t.Context(), accounts[r.Who], r.ID)
		require.NoError(t, err, "the answer to %+v is lost", r)
		reply := new(ridepb.Reply)
		require.NoError(t, proto.Unmarshal(stored.Reply, reply))
		require.Equal(t, r.Code, reply.GetError().GetCode(), "%+v", r)
		if trip := reply.GetTrip(); trip != nil {
			require.Equal(t, r.Trip, trip.GetId())
			require.Equal(t, r.Version, trip.GetVersion(), "%+v", r)
			seen[r.Trip] = true
		}
	}
	for id := range seen {
		trip, err := s.Trip(t.Context(), ride.TripID(id))
		require.NoError(t, err, "trip %s is lost", id)
		checkHistory(t, s, trip)
	}
	return answers, len(seen)
}
