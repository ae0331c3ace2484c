package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// faultKind is what a fault does.
type faultKind string

// The faults of a cluster.
const (
	killNode        faultKind = "kill"             // SIGKILL; started again after a while
	killAll         faultKind = "kill-all"         // likewise, all nodes at once
	freezeNode      faultKind = "freeze"           // SIGSTOP and SIGCONT
	rollingRestart  faultKind = "rolling-restart"  // SIGTERM, one node after the other
	freezeEtcd      faultKind = "freeze-etcd"      // SIGSTOP and SIGCONT
	restartEtcd     faultKind = "restart-etcd"     // SIGKILL; started again after a while
	restartPostgres faultKind = "restart-postgres" // likewise
	cutNode         faultKind = "cut"              // from the other nodes, both ways
	cutIn           faultKind = "cut-in"           // the other nodes do not reach it
	cutOut          faultKind = "cut-out"          // it does not reach the other nodes
	cutPostgres     faultKind = "cut-postgres"     // one node from Postgres
	cutEtcd         faultKind = "cut-etcd"         // one node from etcd
	slowPostgres    faultKind = "slow-postgres"    // each of its answers is late
	slowEtcd        faultKind = "slow-etcd"        // likewise
)

// faultForm says what a kind of fault needs.
type faultForm struct {
	kind     faultKind
	ofNode   bool // it names a node
	lasting  bool // it has a duration
	etcd, pg bool // it needs a server of ours
	network  bool // it needs proxies
	least    int  // nodes that it needs
	// loses: its node, or all of them, loses its trips. At once: at an unforeseen moment, with what is in flight.
	loses, atOnce bool
	// ends: a node ends itself that is cut off for longer than its limits.
	ends bool
	// harmless: it changes nothing for anyone.
	harmless bool
	// moves is how often it may activate a trip again. When the members change, the new owner activates the trip;
	// until all nodes have read the new list, the former one may take it back for something that it writes,
	// and the new one takes it again. A lost node leaves and comes back; of all nodes that come back, the first
	// takes all trips. What a database leaves unanswered is read again.
	moves int64
}

var faultKinds = []faultForm{
	{kind: killNode, ofNode: true, lasting: true, loses: true, atOnce: true, moves: 6},
	{kind: killAll, lasting: true, loses: true, atOnce: true, moves: 9},
	{kind: freezeNode, ofNode: true, lasting: true, loses: true, atOnce: true, moves: 6},
	{kind: rollingRestart, moves: 6},
	{kind: freezeEtcd, lasting: true, etcd: true, harmless: true},
	{kind: restartEtcd, lasting: true, etcd: true, harmless: true},
	{kind: restartPostgres, lasting: true, pg: true, moves: 2},
	{kind: cutNode, ofNode: true, lasting: true, network: true, least: 3, loses: true, ends: true, moves: 6},
	{kind: cutIn, ofNode: true, lasting: true, network: true, least: 3, loses: true, ends: true, moves: 6},
	{kind: cutOut, ofNode: true, lasting: true, network: true, least: 3, loses: true, ends: true, moves: 6},
	{kind: cutPostgres, ofNode: true, lasting: true, network: true, pg: true, loses: true, ends: true, moves: 6},
	{kind: cutEtcd, ofNode: true, lasting: true, network: true, etcd: true, harmless: true},
	{kind: slowPostgres, lasting: true, network: true, pg: true, moves: 2},
	{kind: slowEtcd, lasting: true, network: true, etcd: true, harmless: true},
}

// form is what the fault's kind needs and does.
func (f fault) form() faultForm {
	for _, k := range faultKinds {
		if k.kind == f.kind {
			return k
		}
	}
	return faultForm{}
}

// fault is one thing that a schedule breaks.
type fault struct {
	kind faultKind
	node int // of the cluster, from 0, for kinds of one node
	// lasts is how long something stands still, or is down before it is started again.
	lasts time.Duration
}

// String is the form that parseSchedule reads, such as kill n2 4s.
func (f fault) String() string {
	text, k := string(f.kind), f.form()
	if k.ofNode {
		text += " " + nodeName(f.node)
	}
	if k.lasting {
		text += " " + f.lasts.String()
	}
	return text
}

func nodeName(n int) string { return fmt.Sprint("n", n+1) }

// schedule is the faults of a run, one after the other.
type schedule []fault

func (s schedule) String() string {
	texts := make([]string, len(s))
	for i, f := range s {
		texts[i] = f.String()
	}
	return strings.Join(texts, ", ")
}

// longest is the longest time that something stands still or is down.
func (s schedule) longest() (d time.Duration) {
	for _, f := range s {
		d = max(d, f.lasts)
	}
	return d
}

// maxLasting bounds the duration of a fault.
const maxLasting = 10 * time.Minute

// parseSchedule reads what String writes.
func parseSchedule(text string, nodes int) (schedule, error) {
	var s schedule
	for part := range strings.SplitSeq(text, ",") {
		f, err := parseFault(strings.Fields(part), nodes)
		if err != nil {
			return nil, fmt.Errorf("--schedule: %q: %w", strings.TrimSpace(part), err)
		}
		s = append(s, f)
	}
	return s, nil
}

func parseFault(words []string, nodes int) (fault, error) {
	if len(words) == 0 {
		return fault{}, errors.New("a fault is missing")
	}
	f := fault{kind: faultKind(words[0])}
	i := slices.IndexFunc(faultKinds, func(k faultForm) bool { return k.kind == f.kind })
	if i < 0 {
		return fault{}, errors.New("no such fault")
	}
	words = words[1:]
	if faultKinds[i].ofNode {
		if len(words) == 0 {
			return fault{}, errors.New("it must name a node, such as n1")
		}
		for f.node < nodes && nodeName(f.node) != words[0] {
			f.node++
		}
		if f.node == nodes {
			return fault{}, fmt.Errorf("%s is not one of %d nodes", words[0], nodes)
		}
		words = words[1:]
	}
	if faultKinds[i].lasting {
		if len(words) == 0 {
			return fault{}, errors.New("it must have a duration, such as 5s")
		}
		d, err := time.ParseDuration(words[0])
		if err != nil || d < 0 || d > maxLasting {
			return fault{}, fmt.Errorf("its duration must be from 0s to %s", maxLasting)
		}
		f.lasts, words = d, words[1:]
	}
	if len(words) > 0 {
		return fault{}, fmt.Errorf("%q is too much", words[0])
	}
	return f, nil
}

// environment is what a schedule may break.
type environment struct {
	nodes    int
	lease    time.Duration
	etcd, pg bool // they are servers of ours
	network  bool // there are proxies
	long     bool // the run has time for long freezes
}

// lacks is what a kind of fault needs and the environment does not have; empty: nothing.
func (in environment) lacks(k faultForm) string {
	switch {
	case k.etcd && !in.etcd, k.pg && !in.pg:
		return "a server that this command has started"
	case k.network && !in.network:
		return "Linux, where this command knows whose connections it cuts"
	case in.nodes < k.least:
		return fmt.Sprintf("%d nodes", k.least)
	}
	return ""
}

// drawer draws the faults of a seed, one after the other.
type drawer struct {
	in    environment
	rng   *rand.Rand
	drawn int
	kills int
	deck  []faultKind
}

func newDrawer(seed uint64, in environment) *drawer {
	return &drawer{in: in, rng: rand.New(rand.NewPCG(seed, 0x5eed))}
}

// killEach is how often a drawn fault is a kill: each third one, and each other one of a long run, which
// must find many commands in flight.
func (in environment) killEach() int {
	if in.long {
		return 2
	}
	return 3
}

// next draws a fault. Some are kills, whose node is away for long and short in turn; between them each of
// the other kinds comes once before any comes again.
func (d *drawer) next() fault {
	f := fault{kind: killNode, node: d.rng.IntN(d.in.nodes), lasts: tenths(d.rng, 0, d.in.lease/2)}
	if d.drawn++; (d.drawn-1)%d.in.killEach() == 0 {
		if d.kills++; d.kills%2 == 1 { // until its trips have moved
			f.lasts += 2*d.in.lease + time.Second
		}
		return f
	}
	if len(d.deck) == 0 {
		d.deck = d.in.others(d.rng)
	}
	f.kind, d.deck = d.deck[0], d.deck[1:]
	return d.in.spread(d.rng, f)
}

// newSchedule draws some faults.
func newSchedule(seed uint64, faults int, in environment) schedule {
	d := newDrawer(seed, in)
	s := make(schedule, faults)
	for i := range s {
		s[i] = d.next()
	}
	return s
}

// others are the kinds but for kills, in random order.
func (in environment) others(rng *rand.Rand) (out []faultKind) {
	for _, k := range faultKinds {
		if k.kind != killNode && in.lacks(k) == "" {
			out = append(out, k.kind)
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// spread draws how long a fault lasts: what ends a node, for long enough.
func (in environment) spread(rng *rand.Rand, f fault) fault {
	if !f.form().ofNode {
		f.node = 0
	}
	const s = time.Second
	switch f.kind {
	case freezeNode, freezeEtcd:
		f.lasts = max(10*s, 2*in.lease+4*s)
		if in.long && rng.IntN(4) == 0 {
			f.lasts = time.Minute
		}
	case killAll, restartPostgres:
		f.lasts = tenths(rng, 0, 2*s)
	case restartEtcd:
		f.lasts = tenths(rng, 0, 2*in.lease)
	case cutNode, cutIn, cutOut, cutPostgres:
		f.lasts = endsAfter(f.kind, in.lease).Round(s/10) + tenths(rng, 2*s, 4*s)
		if in.long && rng.IntN(4) == 0 {
			f.lasts = tenths(rng, s, in.lease)
		}
	case cutEtcd:
		f.lasts = tenths(rng, 2*in.lease, 3*in.lease)
	case slowPostgres, slowEtcd:
		f.lasts = tenths(rng, 2*in.lease, 3*in.lease)
	default:
		f.lasts = 0
	}
	return f
}

// endsAfter is the time after which a node that is cut off ends itself, with the limits that nodes of
// a lease have; see flags. A database counts as failing after 3 s, and is looked at once a second.
func endsAfter(kind faultKind, lease time.Duration) time.Duration {
	if kind == cutPostgres {
		return 4*time.Second + withoutDatabase(lease)
	}
	return alone(lease)
}

// alone and withoutDatabase are for how long a node goes on that is cut off from the others, or from the
// database. They keep the proportions of their defaults.
func alone(lease time.Duration) time.Duration           { return 2 * lease }
func withoutDatabase(lease time.Duration) time.Duration { return 5 * (lease / 3) }

// tenths draws a duration in tenths of a second.
func tenths(rng *rand.Rand, low, high time.Duration) time.Duration {
	const unit = 100 * time.Millisecond
	return low + time.Duration(rng.Int64N(int64((high-low)/unit)+1))*unit
}
