package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// market of so many open requests and free drivers, every way as long as said.
func simple(open, drivers int, way time.Duration) Snapshot {
	s := Snapshot{Elapsed: 5 * time.Second}
	for i := range open {
		s.Requests = append(s.Requests, Request{Trip: ride.TripID(fmt.Sprint("t", i))})
	}
	for i := range drivers {
		s.Drivers = append(s.Drivers, Driver{ID: ride.AccountID(fmt.Sprint("d", i)), State: Free})
	}
	for i := range open {
		for k := range min(drivers, 20) {
			s.Ways = append(s.Ways, Way{Trip: s.Requests[i].Trip, Driver: s.Drivers[(i+k)%drivers].ID, Duration: way})
		}
	}
	return s
}

// A clock that goes back changes nothing.
func TestAutoKeepsItsFiguresWhenAClockGoesBack(t *testing.T) {
	s := simple(2, 40, 5*time.Minute)
	s.State, s.Elapsed = State{Mode: Ample, For: time.Hour, Pressure: 100, Way: time.Minute}, -time.Hour
	st := Decide(Auto(), &s).State
	require.EqualValues(t, 100, st.Pressure)
	require.Equal(t, time.Minute, st.Way)
}

// TestAutoGoesOneStepAMinute: whatever the market does, the mode changes once a minute at most, and between ample and
// scarce it passes through balanced.
func TestAutoGoesOneStepAMinute(t *testing.T) {
	var st State
	var at, changed time.Duration
	seen := map[Mode]bool{}
	step := func(open, drivers int) {
		s := simple(open, drivers, time.Minute)
		s.State = st
		was := st.Mode
		st = Decide(Auto(), &s).State
		at += s.Elapsed
		seen[st.Mode] = true
		require.NotEmpty(t, st.Why)
		if was == "" || st.Mode == was {
			return
		}
		require.GreaterOrEqual(t, at-changed, time.Minute)
		require.False(t, was == Ample && st.Mode == Scarce || was == Scarce && st.Mode == Ample, "%s to %s", was, st.Mode)
		changed = at
	}
	for range 40 {
		step(2, 40)
	}
	require.Equal(t, Ample, st.Mode)
	for range 60 {
		step(60, 10)
	}
	require.Equal(t, Scarce, st.Mode)
	for i := range 200 { // a market that swings faster than that
		step(1+i%2*60, 30)
	}
	for range 80 {
		step(1, 40)
	}
	require.Equal(t, Ample, st.Mode)
	require.Equal(t, map[Mode]bool{Ample: true, Balanced: true, Scarce: true}, seen)
}

// TestAutoStaysOnAThreshold: a market on a threshold does not swing between two modes.
func TestAutoStaysOnAThreshold(t *testing.T) {
	var st State
	changes := 0
	for i := range 300 {
		s := simple(27+i%6, 100, time.Minute) // from 27 to 32 of 100, around 30
		s.State = st
		was := st.Mode
		st = Decide(Auto(), &s).State
		if was != "" && was != st.Mode {
			changes++
		}
	}
	require.LessOrEqual(t, changes, 1)
}

// TestAutoSeesAWideMarket: where ways are long although drivers are free, they may be longer.
func TestAutoSeesAWideMarket(t *testing.T) {
	var st State
	for range 60 {
		s := simple(3, 30, 5*time.Minute)
		s.State = st
		st = Decide(Auto(), &s).State
	}
	require.Equal(t, Sparse, st.Mode)
	require.Contains(t, st.Why, "5m0s to a pickup")
	s := simple(1, 5, 14*time.Minute)
	require.Empty(t, Decide(Auto(), &s).Offers)
	s.State = st
	plan := Decide(Auto(), &s)
	require.Len(t, plan.Offers, 1)
	require.Equal(t, 4*Auto().Window, plan.Next, "there is time for a better plan")
	require.Equal(t, plan.Next, plan.Early)
	for range 60 {
		s := simple(3, 30, time.Minute)
		s.State = st
		st = Decide(Auto(), &s).State
	}
	require.Equal(t, Ample, st.Mode)
}

// TestAutoAnswersTheFirstAtOnce: where drivers are many, a request need not wait for the next plan.
func TestAutoAnswersTheFirstAtOnce(t *testing.T) {
	s := simple(1, 30, time.Minute)
	plan := Decide(Auto(), &s)
	require.Equal(t, Ample, plan.State.Mode)
	require.Equal(t, Auto().Window, plan.Next)
	require.Equal(t, soonest, plan.Early)
	p := Auto()
	p.Exchange.On = false // nothing would correct it
	require.Equal(t, p.Window, Decide(p, &s).Early)
}

// A policy that does not adapt says so, and remembers nothing.
func TestFixedPoliciesDoNotAdapt(t *testing.T) {
	p, _ := Preset("exchange")
	s := simple(50, 10, time.Minute)
	require.Equal(t, State{Mode: Fixed}, Decide(p, &s).State)
}
