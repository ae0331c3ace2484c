package crash

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
)

// answeredWithin is how long after the loss of a node a command to one of its trips may succeed at the
// latest, plus the measured lag of this machine. It bounds the commands to other trips as well.
const answeredWithin = 10 * time.Second

// ClusterReport is what a run with several nodes adds to the report. Its JSON names are stable.
type ClusterReport struct {
	Nodes    int    `json:"nodes"`
	Network  string `json:"network"` // as the option
	Schedule string `json:"schedule"`
	LeaseS   int    `json:"lease_s"`
	// Recoveries has the kinds of fault, and Faults those of the schedule that were carried out.
	Recoveries []KindReport  `json:"recoveries"`
	Faults     []FaultReport `json:"faults"`
	// ToTrips is the time from the loss of a node to the first successful command to one of its trips.
	ToTrips Recovery `json:"loss_to_trips_ms"`
	// Others is the latency of commands that a fault does not concern: to trips of other nodes, by clients of
	// other nodes, and during a fault that changes nothing, all.
	Others Latency `json:"others_ms"`
	// SelfEnds counts nodes that ended themselves.
	SelfEnds int `json:"self_ends"`

	// Accepts counts acceptances in flight at the loss of a node that concerned it, and KillsWithAccept the
	// losses that hit any.
	Accepts         int `json:"accepts_in_flight_at_losses"`
	KillsWithAccept int `json:"losses_with_accept_unanswered"`
	// TripsMoved counts trips of a lost node that another node carried on.
	TripsMoved int `json:"trips_moved"`
	// Across is the number of offers from riders of one node to drivers of another, for the two nodes with
	// the fewest.
	Across int `json:"offers_across_fewest"`
	// ResumedElsewhere counts sessions that resumed on another node.
	ResumedElsewhere int `json:"resumed_on_another_node"`

	// MostActivations is how often the trip with the most had been activated when it ended.
	MostActivations int `json:"most_activations"`
	// EndedTrips is the number of trips that ended, UnreadTrips of those whose activations could not be read in time.
	EndedTrips  int `json:"ended_trips"`
	UnreadTrips int `json:"unread_trips"`
	// StaleCommits and Frames are what the nodes counted: transitions that the database refused, and
	// messages between nodes. What a process counted in its last second before a kill is missing.
	StaleCommits int `json:"stale_commits"`
	Frames       int `json:"frames_between_nodes"`
	// StaleWithoutFault is when, in seconds of the run, a process was found to have counted stale commits that no
	// fault explains.
	StaleWithoutFault []float64 `json:"stale_without_fault_s,omitempty"`
}

// KindReport is about all faults of a kind.
type KindReport struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	// ToTrips is the time from the loss of a node to the first successful command to one of its trips.
	ToTrips Recovery `json:"to_trips_ms"`
	// Whole is the time from the end of the fault until all nodes counted each other again.
	Whole Recovery `json:"whole_ms"`
}

// FaultReport is about one fault. Times are in milliseconds; 0 means that there was none.
type FaultReport struct {
	Fault string  `json:"fault"`
	AtS   float64 `json:"at_s"`
	// Lasted is the length of the fault, and Whole the time from its end until all nodes counted each
	// other again.
	Lasted  float64 `json:"lasted_ms"`
	Whole   float64 `json:"whole_ms"`
	ToTrips float64 `json:"to_trips_ms,omitempty"`
	Moved   int     `json:"trips_moved,omitempty"`
	// Lag is how late timers of this machine were in all.
	Lag float64 `json:"lag_ms"`
}

// Latency is a distribution of times in milliseconds.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func latencies(all []float64) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(math.Ceil(q*float64(len(all))))-1] }
	return Latency{Count: len(all), P50: at(0.5), P99: at(0.99), Max: all[len(all)-1]}
}

// ofTrips are commands that a trip's node answers.
var ofTrips = []string{"accept", "cancel", "arrived", "start", "complete", "rate"}

// answered is a command with its answer and the session that it was sent in.
type answered struct {
	call, answer check.Record
	node         int
	sent         bool // there was a session
	whole        bool // and it lasted until the answer
}

// commands pairs the calls of a history with their answers; calls without one have the zero answer.
func commands(history []check.Record) []*answered {
	var out []*answered
	open := make(map[string]map[string]*answered) // by client and id
	node, live := make(map[string]int), make(map[string]bool)
	for _, r := range history {
		switch r.What {
		case check.Connected:
			node[r.Who], live[r.Who] = r.Node, true
		case check.Lost:
			live[r.Who] = false
			for _, a := range open[r.Who] {
				a.whole = false
			}
		case check.Call:
			if open[r.Who] == nil {
				open[r.Who] = make(map[string]*answered)
			}
			a := &answered{call: r, node: node[r.Who], sent: live[r.Who], whole: live[r.Who]}
			open[r.Who][r.ID] = a
			out = append(out, a)
		case check.Return:
			if a := open[r.Who][r.ID]; a != nil {
				a.answer = r
				delete(open[r.Who], r.ID)
			}
		}
	}
	return out
}

// judge gathers the figures of all faults and holds them against their bounds.
func (c *cluster) judge(history []check.Record) *ClusterReport {
	r := &ClusterReport{Nodes: len(c.nodes), Network: c.o.Network, Schedule: c.schedule.String(), LeaseS: int(c.o.Lease / time.Second), ResumedElsewhere: resumedElsewhere(history)}
	fewest, offers := across(history, len(c.nodes))
	r.Across = fewest
	c.judgeOffers(fewest, offers)
	all := commands(history)
	var toTrips, others []float64
	for _, e := range c.episodes {
		l := c.loss(e, all)
		f := e.report(l)
		f.Lag = millis(c.lag(e.began, e.ended))
		others = append(others, l.others...)
		if len(e.lost) > 0 {
			if l.first > 0 {
				toTrips = append(toTrips, f.ToTrips)
			}
			r.count(l)
			c.judgeFirst(e, l.first)
		}
		r.Faults = append(r.Faults, f)
	}
	for _, n := range c.nodes {
		r.SelfEnds += n.ends
	}
	c.judgeCounters(r)
	r.ToTrips, r.Others, r.Recoveries = recoveries(toTrips), latencies(others), c.kinds(r.Faults)
	if lag := c.lag(0, math.MaxInt64); r.Others.P99 > millis(answeredWithin+lag) {
		c.verdict.add(recovery, "commands that no fault concerned took %.0f ms (p99)", r.Others.P99)
	}
	return r
}

// report gathers what was seen of a fault.
func (e *episode) report(l loss) FaultReport {
	f := FaultReport{
		Fault: e.fault.String(), AtS: math.Round(time.Duration(e.began).Seconds()*10) / 10,
		Lasted: millis(time.Duration(e.over - e.began)), Whole: millis(time.Duration(e.ended - e.over)),
	}
	if len(e.lost) > 0 {
		f.ToTrips, f.Moved = millis(l.first), len(l.moved)
	}
	return f
}

// count adds what a loss hit.
func (r *ClusterReport) count(l loss) {
	r.TripsMoved += len(l.moved)
	r.Accepts += l.accepts
	if l.accepts > 0 {
		r.KillsWithAccept++
	}
}

// judgeFirst judges how long a lost node's trips did not answer.
func (c *cluster) judgeFirst(e *episode, first time.Duration) {
	bound := answeredWithin
	if e.fault.form().ends {
		bound += endsAfter(e.fault.kind, c.o.Lease) - c.o.Lease // a killed node is missed after its lease
	}
	if lag := c.lag(e.began, e.began+int64(first)); first > bound+lag {
		c.verdict.add(recovery, "after %s the first command to the lost trips succeeded only after %s (this machine lagged by %s)",
			e.fault, first.Round(time.Millisecond), lag)
	}
}

// kinds gathers the times of each kind of fault, in the order of their first.
func (c *cluster) kinds(faults []FaultReport) (out []KindReport) {
	for _, k := range faultKinds {
		r := KindReport{Kind: string(k.kind)}
		var toTrips, whole []float64
		for i, e := range c.episodes {
			if e.fault.kind != k.kind {
				continue
			}
			r.Count++
			whole = append(whole, faults[i].Whole)
			if faults[i].ToTrips > 0 {
				toTrips = append(toTrips, faults[i].ToTrips)
			}
		}
		r.ToTrips, r.Whole = recoveries(toTrips), recoveries(whole)
		if r.Count > 0 {
			out = append(out, r)
		}
	}
	return out
}

// loss is what was seen of a fault.
type loss struct {
	first   time.Duration // to the first successful command to the lost nodes' trips; 0: none
	moved   map[string]bool
	accepts int       // that concerned them, and were sent and unanswered when they were lost at once
	others  []float64 // latencies of what did not concern them, in ms
}

func (c *cluster) loss(e *episode, all []*answered) loss {
	l, k := loss{moved: make(map[string]bool)}, e.fault.form()
	if !k.loses && !k.harmless {
		return l
	}
	back := int64(math.MaxInt64)
	if len(e.up) > 0 {
		back = slices.Min(slices.Collect(maps.Values(e.up)))
	}
	for _, a := range all {
		trip := a.call.Trip
		if a.call.Op == "request" {
			trip = a.answer.Trip
		}
		from, to := slices.Contains(e.lost, a.node), trip != "" && slices.Contains(e.lost, c.ownerOf(trip))
		unanswered := a.answer.What == "" || a.answer.At > e.began
		good := a.answer.What != "" && a.answer.Code == "" && a.answer.Version > 0 && slices.Contains(ofTrips, a.call.Op)
		switch {
		case a.call.At < e.began:
			if k.atOnce && unanswered && a.sent && a.call.Op == "accept" && (from || to) {
				l.accepts++
			}
		case good && to:
			// A node that is cut off goes on for its own clients until it ends itself.
			if took := time.Duration(a.answer.At - e.began); (l.first == 0 || took < l.first) && (k.atOnce || (!from && a.whole)) {
				l.first = took
			}
			if a.answer.At < back && (k.atOnce || (!from && a.whole)) {
				l.moved[trip] = true
			}
		case a.answer.What != "" && !from && !to && a.whole && a.call.At <= e.ended:
			l.others = append(l.others, millis(time.Duration(a.answer.At-a.call.At)))
		}
	}
	return l
}

// ownerOf is the node that owns a trip while all are members.
func (c *cluster) ownerOf(trip string) int {
	m, _ := c.owner(ride.TripID(trip)) // there are members
	return slices.IndexFunc(c.nodes, func(n *node) bool { return n.address == m.Address })
}

// resumedElsewhere counts sessions that resumed on another node than their client's last one.
func resumedElsewhere(history []check.Record) (n int) {
	node := make(map[string]int)
	for _, r := range history {
		if r.What != check.Connected {
			continue
		}
		if before, known := node[r.Who]; known && r.Resumed && before != r.Node {
			n++
		}
		node[r.Who] = r.Node
	}
	return n
}

// offersProve is a number of offers of which some must go from each node to each other one.
const offersProve = 100

// judgeOffers judges whether all nodes find each other's drivers.
func (c *cluster) judgeOffers(fewest, all int) {
	if fewest == 0 && all >= offersProve {
		c.verdict.add(check.DriverFound, "of %d offers none went from the riders of some node to the drivers of some other", all)
	}
}

// across counts the offers of each node's riders to each other node's drivers, and returns the fewest,
// and the number of all offers.
func across(history []check.Record, nodes int) (fewest, all int) {
	node, rider, count := make(map[string]int), make(map[string]int), make(map[[2]int]int)
	for _, r := range history {
		switch {
		case r.What == check.Connected:
			node[r.Who] = r.Node
		case r.What == check.Return && r.Op == "request" && r.Code == "":
			rider[r.Trip] = node[r.Who]
		case r.What == check.Offered:
			if from, known := rider[r.Trip]; known {
				count[[2]int{from, node[r.Who]}]++
				all++
			}
		}
	}
	fewest = math.MaxInt
	for from := range nodes {
		for to := range nodes {
			if from != to {
				fewest = min(fewest, count[[2]int{from, to}])
			}
		}
	}
	return fewest, all
}

// The counters without which a run has not seen what it is for. A run adds faults until none of them is zero.
const (
	acceptsHit = "acceptances in flight at the loss of a node"
	tripsMoved = "trips that another node carried on"
	resumed    = "sessions resumed on another node"
)

// unseen names which of them are zero so far.
func (c *cluster) unseen() (out []string) {
	history := c.watch.history()
	all := commands(history)
	r := ClusterReport{ResumedElsewhere: resumedElsewhere(history)}
	for _, e := range c.episodes {
		r.count(c.loss(e, all))
	}
	for _, x := range []row{{acceptsHit, r.Accepts}, {tripsMoved, r.TripsMoved}, {resumed, r.ResumedElsewhere}} {
		if x.n == 0 {
			out = append(out, x.name)
		}
	}
	return out
}

// rows are the counters that must not stay zero, with what the rules of the checker met.
func (r *ClusterReport) rows(met map[string]int64) []row {
	return []row{
		{acceptsHit, r.Accepts},
		{tripsMoved, r.TripsMoved},
		{resumed, r.ResumedElsewhere},
		{"offers between the two nodes with the fewest", r.Across},
		{"free drivers who were offered a trip nearby", int(met[check.DriverFound])},
		{"older sockets closed with 4503", int(met[check.OneSession])},
		{"sockets closed after their account lost its access", int(met[check.AccessEnds])},
		{"messages between nodes", r.Frames},
		{"activations of a trip, at most", r.MostActivations},
	}
}

// missing returns the names of the counters that are zero and may not be.
func (r *ClusterReport) missing(met map[string]int64) []string {
	var out []string
	for _, x := range r.rows(met) {
		if x.n == 0 {
			out = append(out, x.name)
		}
	}
	if r.UnreadTrips > r.EndedTrips/mostUnread {
		out = append(out, fmt.Sprintf("activations of %d of %d trips", r.UnreadTrips, r.EndedTrips))
	}
	return out
}

// mostUnread: the activations of one trip in so many may be unknown, of those that ended while the database was away.
const mostUnread = 10

// table prints the figures for people.
func (r *ClusterReport) table(row func(name, format string, args ...any)) {
	row("nodes", "%d, lease %d s; %d ended themselves", r.Nodes, r.LeaseS, r.SelfEnds)
	row("schedule", "%s", r.Schedule)
	row("recovery, median and longest", "from a loss to a command to its trips; from the fault's end until all nodes count each other")
	for _, k := range r.Recoveries {
		trips := "-"
		if k.ToTrips.Max > 0 {
			trips = fmt.Sprintf("%.0f ms, %.0f ms", k.ToTrips.P50, k.ToTrips.Max)
		}
		row(fmt.Sprintf("  %s × %d", k.Kind, k.Count), "%s; %.0f ms, %.0f ms", trips, k.Whole.P50, k.Whole.Max)
	}
	row("  all losses", "%.0f ms, %.0f ms", r.ToTrips.P50, r.ToTrips.Max)
	row("trips whose activations were not read in time", "%d of %d", r.UnreadTrips, r.EndedTrips)
	row("commits that the database refused as stale", "%d; without a fault at %v s", r.StaleCommits, r.StaleWithoutFault)
	row("commands that no fault concerned", "%d: p50 %.0f ms, p99 %.0f ms, max %.0f ms", r.Others.Count, r.Others.P50, r.Others.P99, r.Others.Max)
}
