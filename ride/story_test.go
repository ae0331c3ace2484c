package ride_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// TestStories runs the transcripts of testdata/stories. Each line of input is a command to the trip
// or to the world around it; the output is what was written (* event), what was to be done (>
// effect), what was refused (! error) and how the trip stands (= state). Times count from the
// story's beginning. The flag -rewrite rewrites the outputs.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{shell: newShell(), t: t}
		s.note = s.tell
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			for line := range strings.Lines(d.Input) {
				s.line(d, line)
			}
			if d.Input == "" {
				s.run(d)
			}
			s.state()
			out := s.out.String()
			s.out.Reset()
			return out
		})
	})
}

type story struct {
	*shell
	t   *testing.T
	out strings.Builder
}

// line runs one of several commands given as the input of "then".
func (s *story) line(d *datadriven.TestData, line string) {
	cmd, args, err := datadriven.ParseLine(line)
	require.NoError(s.t, err)
	one := *d
	one.Cmd, one.CmdArgs, one.Input = cmd, args, ""
	s.run(&one)
}

func (s *story) run(d *datadriven.TestData) {
	who := ride.AccountID("")
	if len(d.CmdArgs) > 0 && len(d.CmdArgs[0].Vals) == 0 {
		who = ride.AccountID(d.CmdArgs[0].Key)
	}
	arg := func(key, otherwise string) string {
		if a, ok := d.Arg(key); ok {
			return strings.Join(a.Vals, " ")
		}
		return otherwise
	}
	offer := func() ride.OfferID { return ride.OfferID(arg("offer", string(s.offerOf(who)))) }
	// What a story does may be refused: the output has the refusal.
	switch d.Cmd {
	case "request":
		c := request(s.rules(d))
		c.PIN, c.Request.Passengers = arg("pin", ""), s.number(arg("passengers", "1"))
		_ = s.do(c)
	case "candidates":
		s.candidates(d)
	case "accept":
		_ = s.do(ride.AcceptOffer{Offer: offer(), Card: card(who)})
	case "decline":
		_ = s.do(ride.DeclineOffer{Offer: offer(), Driver: who, Reason: arg("reason", "")})
	case "withdraw":
		_ = s.do(ride.WithdrawOffer{Offer: offer(), Reason: arg("reason", ride.ReasonDriverGone)})
	case "propose": // the trip, which has a driver, to another one
		driver, way, _ := strings.Cut(string(who), "@")
		_ = s.do(ride.OfferExchange{Considered: ride.Considered{Driver: ride.AccountID(driver), ETA: s.duration(way)}, Left: s.duration(arg("left", "0s"))})
	case "exchange": // drivers with another trip, whose driver this is
		_ = s.exchange(who, s.duration(arg("way", "0s")), s.duration(arg("left", "0s")), s.duration(arg("their-way", "60s")), s.duration(arg("their-left", "60s")))
	case "busy":
		s.busy[who] = true
	case "cancel":
		_ = s.do(s.cancel(who, arg("reason", "")))
	case "redispatch":
		_ = s.do(ride.Redispatch{Reason: arg("reason", "")})
	case "arrive":
		_ = s.do(ride.MarkArrived{Driver: who})
	case "start":
		_ = s.do(ride.StartTrip{Driver: who, PIN: arg("pin", "")})
	case "complete":
		_ = s.do(ride.CompleteTrip{Driver: who, TravelledM: float64(s.number(arg("travelled", "0")))})
	case "rate":
		_ = s.do(ride.RateTrip{By: who, Stars: s.number(arg("stars", "0")), Comment: arg("comment", "")})
	case "nearby":
		_ = s.do(ride.DriverNearby{})
	case "tick":
		s.advance(s.duration(string(who)))
	case "clock":
		s.now = dawn.Add(s.duration(string(who)))
	case "fire": // a timer, whether or not it is armed
		timer := ride.Timer{Kind: ride.TimerKind(who), At: dawn.Add(s.duration(arg("at", "0s")))}
		_ = s.do(ride.Tick{Timer: timer})
	case "resume":
		for _, e := range s.crash(s.t) {
			s.effect(e)
		}
	default:
		s.t.Fatalf("unknown command %q", d.Cmd)
	}
}

func (s *story) cancel(who ride.AccountID, reason string) ride.CancelTrip {
	c := ride.CancelTrip{By: ride.ByDriver, Account: who, Reason: reason}
	switch who {
	case "rider", "stranger":
		c.By = ride.ByRider
	case "operator", "system":
		c.By, c.Account = ride.Party(who), ""
	}
	return c
}

// rules are the defaults, but for a broadcast, a search of two minutes, and what the story says.
func (s *story) rules(d *datadriven.TestData) ride.Rules {
	r := ride.DefaultRules()
	r.Policy, r.SearchFor = r.Policy.As(ride.PolicyBroadcast), 2*time.Minute
	for _, a := range d.CmdArgs {
		v := strings.Join(a.Vals, "")
		switch a.Key {
		case "policy":
			r.Policy = r.Policy.As(ride.PolicyKind(v))
		case "max-eta":
			r.Policy.MaxETA = s.duration(v)
		case "award":
			r.Policy.Award = ride.Award(v)
		case "window":
			r.Policy.AwardWindow = s.duration(v)
		case "cap":
			r.Policy.Cap = s.number(v)
		case "asks":
			r.Policy.AsksPerDriver = s.number(v)
		case "rings": // start-max, in steps of 1
			_, err := fmt.Sscanf(v, "%d-%d", &r.Policy.RingStart, &r.Policy.RingMax)
			require.NoError(s.t, err)
		case "every":
			r.Policy.WaveEvery = s.duration(v)
		case "ttl":
			r.Policy.OfferTTL = s.duration(v)
		case "exchanges":
			r.Policy.Exchanges = s.number(v)
		case "search":
			r.SearchFor = s.duration(v)
		}
	}
	return r
}

// candidates answers the open search, or an older one when wave and ring are given.
// A candidate is written driver@metres/eta, with /class where it is not standard and +offers where it holds some.
func (s *story) candidates(d *datadriven.TestData) {
	var wave, ring int
	var found []ride.Candidate
	if s.search != nil && !d.HasArg("wave") {
		wave, ring = s.search.Wave, s.search.Ring
		s.search = nil
	}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "wave":
			wave = s.number(a.Vals[0])
		case "ring":
			ring = s.number(a.Vals[0])
		default:
			driver, way, ok := strings.Cut(a.Key, "@")
			way, load, _ := strings.Cut(way, "+")
			parts := append(strings.Split(way, "/"), "standard")
			require.True(s.t, ok && len(parts) >= 3, "candidate %q", a.Key)
			holds, _ := strconv.Atoi(load)
			found = append(found, ride.Candidate{
				Trip: "trip", Driver: ride.AccountID(driver), Class: parts[2],
				DistanceM: float64(s.number(strings.TrimSuffix(parts[0], "m"))), ETA: s.duration(parts[1]), Load: holds,
			})
		}
	}
	_ = s.do(s.planned(wave, ring, found))
}

func (s *story) number(v string) int {
	n, err := strconv.Atoi(v)
	require.NoError(s.t, err)
	return n
}

func (s *story) duration(v string) time.Duration {
	d, err := time.ParseDuration(strings.TrimPrefix(v, "+"))
	require.NoError(s.t, err)
	return d
}
