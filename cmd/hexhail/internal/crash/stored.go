package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
	"github.com/hexhail/hexhail/sim/check"
)

// stored compares the evidence with the database that the last server left.
type stored struct {
	store    *persistence.Store
	evidence *evidence
	verdict  *verdict
	drained  bool          // every trip should have ended
	slack    time.Duration // how much later than planned a request may end

	// Of a cluster: the faults, and how often a trip had been activated when it ended; nil: it is not judged.
	faults []window
	fence  func(ride.TripID) int64

	acknowledged, refused, lost, unanswered, trips, mostActivations int
	over, unread                                                    int // trips, and those of them whose activations are not known

	ends []check.Record // of trips, as the database holds them
}

// The tolerances of comparisons between clocks that are read at different moments.
const (
	ackSlack     = 50 * time.Millisecond // a command is decided before it is answered
	overlapSlack = time.Second           // and before it is written
	faultSlack   = 10 * time.Second      // how much later a request may end when servers die; longer where they freeze
)

// judge checks the commands first, then the trips. An error means that the store cannot be read.
func (s *stored) judge(ctx context.Context, begun time.Time) error {
	tally := NewTally()
	refused := make(map[ride.TripID]bool)
	for _, c := range s.evidence.commands {
		if err := s.command(ctx, c); err != nil {
			return err
		}
		trip, kind := meaning(c)
		switch {
		case c.answer == nil:
			tally.Unanswered(trip, kind)
		case c.answer.Code != "":
			refused[trip] = true
		case c.call.Op != "accept" || c.answer.Version > 0: // otherwise it is pending, under best_eta
			tally.Acknowledged(trip, kind)
		}
	}
	rides := make(map[ride.AccountID][]occupation)
	seen := make(map[string]bool)
	ours := make(map[ride.AccountID]bool)
	for _, a := range s.evidence.accounts {
		ours[ride.AccountID(a)] = true
	}
	page := ride.TripFilter{From: begun.Add(-time.Minute)}
	page.Page.Limit = 100
	for {
		trips, next, err := s.store.ListTrips(ctx, page)
		if err != nil {
			return fmt.Errorf("list trips: %w", err)
		}
		for _, t := range trips {
			if !ours[t.Request.Rider.ID] {
				continue // from an earlier run on the same database
			}
			seen[string(t.ID)] = true
			if err := s.trip(ctx, t, tally, refused[t.ID], rides); err != nil {
				return err
			}
		}
		if next == "" {
			break
		}
		page.Page.Cursor = next
	}
	for id := range s.evidence.told {
		if !seen[id] {
			s.verdict.add(acked, "trip %s was reported to a client and is not in the database", id)
		}
	}
	for account, all := range rides {
		s.overlaps(account, all)
	}
	return nil
}

// command compares an answer with the stored one: it must exist, be the same, and not be newer than
// the answer, as it would be if it had been lost and then executed again.
func (s *stored) command(ctx context.Context, c *command) error {
	kept, err := s.store.Command(ctx, ride.AccountID(c.account), c.call.ID)
	there := err == nil
	if err != nil && !errors.Is(err, ride.ErrNotFound) {
		return fmt.Errorf("read command: %w", err)
	}
	at := int64(0)
	if there {
		at = int64(kept.At.Sub(s.evidence.startedAt))
	}
	s.evidence.sometimes.found(c, at)
	if c.answer == nil {
		s.unanswered++
		return nil
	}
	s.acknowledged++
	if c.answer.Code != "" {
		s.refused++
	}
	name := fmt.Sprintf("command %s of %s (%s of trip %s)", c.call.ID, c.call.Who, c.call.Op, c.answer.Trip)
	if !there {
		s.lost++
		s.verdict.add(acked, "%s was answered and is not in the database", name)
		return nil
	}
	reply := new(ridepb.Reply)
	if err := proto.Unmarshal(kept.Reply, reply); err != nil {
		s.verdict.add(acked, "%s: its stored answer cannot be read: %v", name, err)
		return nil
	}
	switch {
	case check.ReplyDigest(reply) != c.answer.Reply:
		s.verdict.add(acked, "%s got an answer that differs from the stored one", name)
	case at > c.answer.At+int64(ackSlack):
		s.lost++
		s.verdict.add(acked, "%s was answered at %s but written only at %s", name, time.Duration(c.answer.At), time.Duration(at))
	}
	return nil
}

// meaning returns the trip of a command and the event that its success implies.
func meaning(c *command) (ride.TripID, string) {
	trip := c.call.Trip
	switch c.call.Op {
	case "request":
		if c.answer != nil {
			trip = c.answer.Trip
		}
		return ride.TripID(trip), ride.KindRequested
	case "accept":
		return ride.TripID(trip), ride.KindMatched
	case "arrived":
		return ride.TripID(trip), ride.KindArrived
	case "start":
		return ride.TripID(trip), ride.KindStarted
	case "complete":
		return ride.TripID(trip), ride.KindCompleted
	case "rate":
		return ride.TripID(trip), ride.KindRated
	case "cancel":
		if c.call.Role == "driver" {
			return ride.TripID(trip), ride.KindReleased
		}
		return ride.TripID(trip), ride.KindCancelled
	}
	return "", ""
}

// trip checks one trip: its history, what clients were sent, the effects of commands, and that it
// ended in time.
func (s *stored) trip(ctx context.Context, t ride.Trip, tally *Tally, refused bool, rides map[ride.AccountID][]occupation) error {
	s.trips++
	events, states, err := History(ctx, s.store, t)
	switch {
	case states == nil && events == nil:
		return fmt.Errorf("read history: %w", err)
	case err != nil:
		s.verdict.add(check.VersionsStep, "%v", err)
		return nil
	}
	s.told(t.ID, states)
	var commanded []ride.Event
	for i, e := range events {
		switch x := e.Event.(type) {
		case ride.Matched:
			if x.PickupETA > 0 {
				continue // an exchange moved the driver here, without an acceptance
			}
		case ride.Exchanged:
			if _, asked := states[i-1].Offer(x.Offer); asked {
				commanded = append(commanded, ride.Matched{}) // what an acceptance leads to
			}
			continue
		case ride.Cancelled:
			if x.By != ride.ByRider {
				continue
			}
		case ride.Released:
			if x.By != ride.ByDriver {
				continue
			}
		}
		commanded = append(commanded, e.Event)
	}
	for _, m := range tally.Check(t.ID, commanded) {
		switch {
		case m.Found < m.Acknowledged:
			s.verdict.add(acked, "trip %s has %d events %q, but %d were acknowledged", t.ID, m.Found, m.Kind, m.Acknowledged)
		case refused:
			s.verdict.add(acked, "trip %s has %d events %q, but only %d were acknowledged: a refused command had an effect",
				t.ID, m.Found, m.Kind, m.Allowed)
		default:
			s.verdict.add(check.SameAnswer, "trip %s has %d events %q, but only %d commands that could cause them", t.ID, m.Found, m.Kind, m.Allowed)
		}
	}
	s.ended(t, events)
	s.committed(t, events)
	occupy(rides, t, events)
	return nil
}

// told compares what clients were sent about a trip with its state at that version.
func (s *stored) told(id ride.TripID, states []ride.Trip) {
	for _, r := range s.evidence.told[string(id)] {
		if r.Exchange && r.Role == "driver" && r.Status == statusName(ride.StatusRequested) {
			continue // it says only that the trip is no longer this driver's
		}
		if int(r.Version) > len(states) {
			s.verdict.add(acked, "%s received version %d of trip %s, which has %d", name(r), r.Version, id, len(states))
			return
		}
		was := &states[r.Version-1]
		if status := statusName(was.Status); status != r.Status {
			s.verdict.add(check.NoHole, "%s received trip %s as %s at version %d, but it was %s", name(r), id, r.Status, r.Version, status)
		}
		if d := string(was.DriverID()); d != "" && r.Driver != "" && d != r.Driver {
			s.verdict.add(check.OneWinner, "%s received driver %s for trip %s at version %d, but it was %s's", name(r), r.Driver, id, r.Version, d)
		}
	}
}

// statusName is a status as clients see it.
func statusName(s ride.Status) string { return view.Status(s).String() }

// name is the receiver of a record.
func name(r check.Record) string {
	if r.Who == "" {
		return "the HTTP API's reader"
	}
	return r.Who
}

// ended checks that a search ended in time, and that nothing is left open.
func (s *stored) ended(t ride.Trip, events []ride.StoredEvent) {
	var searching time.Time
	for _, e := range events {
		switch e.Event.(type) {
		case ride.Requested, ride.Released:
			searching = e.Event.When()
		case ride.Matched, ride.Cancelled, ride.Expired:
			if took := e.Event.When().Sub(searching); !searching.IsZero() && took > searchFor+s.slack {
				s.verdict.add(ends, "the search of trip %s took %s", t.ID, took.Round(time.Millisecond))
			}
			searching = time.Time{}
		}
	}
	if t.Status.Live() && s.drained {
		s.verdict.add(ends, "trip %s is still %s", t.ID, t.Status)
	}
	if t.Status.Final() {
		for _, o := range t.Offers {
			if o.State == ride.OfferOpen {
				s.verdict.add(check.OneEnd, "offer %s is open though its trip is %s", o.ID, t.Status)
			}
		}
	}
}

// occupation is the time for which a trip occupied an account.
type occupation struct {
	trip     ride.TripID
	from, to time.Time
}

// occupy adds the times for which a trip occupied its rider and its drivers.
func occupy(rides map[ride.AccountID][]occupation, t ride.Trip, events []ride.StoredEvent) {
	const lasting = 100 * 365 * 24 * time.Hour // stands for the end of what has not ended
	driver, rider := ride.AccountID(""), t.Request.Rider.ID
	end := func(who ride.AccountID, at time.Time) {
		if all := rides[who]; len(all) > 0 && all[len(all)-1].trip == t.ID {
			all[len(all)-1].to = at
		}
	}
	begin := func(who ride.AccountID, at time.Time) {
		rides[who] = append(rides[who], occupation{t.ID, at, at.Add(lasting)})
	}
	for _, e := range events {
		at := e.Event.When()
		switch x := e.Event.(type) {
		case ride.Requested:
			begin(rider, at)
		case ride.Matched:
			driver = x.Card.ID
			begin(driver, at)
		case ride.Exchanged:
			end(driver, at)
			driver = x.Card.ID
			begin(driver, at)
		case ride.Released:
			end(driver, at)
			driver = ""
		case ride.Completed, ride.Cancelled, ride.Expired:
			end(driver, at)
			end(rider, at)
		}
	}
}

// overlaps checks that no account had two trips at once. Events have the times at which they were decided, and what was
// decided later may be written first: a trip that ended at once may then begin after the next one.
func (s *stored) overlaps(who ride.AccountID, all []occupation) {
	slices.SortFunc(all, func(a, b occupation) int { return a.from.Compare(b.from) })
	var last occupation // the one that ends last
	for _, next := range all {
		if last.to.Sub(next.from) > overlapSlack && next.to.Sub(last.from) > overlapSlack { // neither order explains it
			s.verdict.add(check.OneTrip, "account %s had the trips %s and %s at once", who, last.trip, next.trip)
		}
		if next.to.After(last.to) {
			last = next
		}
	}
}
