package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Order says whether calls and answers fit one order of events, trip by trip.
type Order struct {
	Trips, Commands int
	OK              bool
	// Wrong are the trips without an order, Unknown those for which time ran out.
	Wrong, Unknown []string
}

// String is the end of a sentence.
func (o Order) String() string {
	switch {
	case len(o.Wrong) > 0:
		return fmt.Sprintf("no order explains %v", o.Wrong[:min(len(o.Wrong), 10)])
	case len(o.Unknown) > 0:
		return fmt.Sprintf("time ran out for %v", o.Unknown[:min(len(o.Unknown), 10)])
	}
	return "an order explains them all"
}

// Linearizable looks for each trip for an order of its commands that explains every answer, as
// porcupine does: a command took effect at some moment between its call and its answer, or, when no
// answer came, at any moment after its call or never. A timer of the server may end a trip, and a
// search may continue, without a command. Trips whose drivers were exchanged are left out: their drivers changed without
// a command; Checker judges them.
func Linearizable(history []Record, timeout time.Duration) Order {
	trips, commands := operations(history)
	o := Order{Trips: len(trips), Commands: commands, OK: true}
	model := tripModel.ToModel()
	deadline := time.Now().Add(timeout)
	for _, id := range slices.Sorted(keys(trips)) {
		left := max(time.Until(deadline), time.Millisecond)
		switch porcupine.CheckOperationsTimeout(model, trips[id], left) {
		case porcupine.Illegal:
			o.Wrong, o.OK = append(o.Wrong, id), false
		case porcupine.Unknown:
			o.Unknown, o.OK = append(o.Unknown, id), false
		}
	}
	return o
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// command is a command as the model sees it.
type command struct {
	op, who  string
	answered bool
	code     string
	version  uint32
	status   string
}

// operations pairs calls and answers, by trip.
func operations(history []Record) (map[string][]porcupine.Operation, int) {
	type open struct {
		call    Record
		client  int
		command command
	}
	calls := make(map[string]*open)
	clients := make(map[string]int)
	trips := make(map[string][]porcupine.Operation)
	n := 0
	add := func(trip string, o *open, end int64) {
		if trip == "" || !judged(o.command.op) {
			return
		}
		n++
		trips[trip] = append(trips[trip], porcupine.Operation{
			ClientId: o.client, Input: o.command, Call: o.call.At, Output: o.command, Return: end,
		})
	}
	changed := make(map[string]bool)
	for _, r := range history {
		switch r.What {
		case TripNews:
			if r.Change == exchanged {
				changed[r.Trip] = true
			}
		case Call:
			if _, ok := clients[r.Who]; !ok {
				clients[r.Who] = len(clients)
			}
			calls[r.Who+" "+r.ID] = &open{call: r, client: clients[r.Who], command: command{op: r.Op, who: r.Role + " " + r.Who}}
		case Return:
			o := calls[r.Who+" "+r.ID]
			if o == nil {
				continue
			}
			if o.call.Op == "accept" && r.Code == "" && r.Version == 0 {
				continue // accept_pending: its outcome is decided later
			}
			delete(calls, r.Who+" "+r.ID)
			o.command.answered, o.command.code, o.command.version, o.command.status = true, r.Code, r.Version, r.Status
			add(cmp.Or(o.call.Trip, r.Trip), o, r.At)
		}
	}
	for _, o := range calls {
		add(o.call.Trip, o, math.MaxInt64)
	}
	for id := range changed {
		n -= len(trips[id])
		delete(trips, id)
	}
	for id, all := range trips {
		trips[id] = requestedFirst(all)
	}
	return trips, n
}

// requestedFirst adds a trip's missing request: its answer was lost, or the history began later.
// Without it no other command could have succeeded.
func requestedFirst(all []porcupine.Operation) []porcupine.Operation {
	first := int64(math.MaxInt64)
	for _, o := range all {
		if c, ok := o.Input.(command); ok && c.op == "request" {
			return all
		}
		first = min(first, o.Call)
	}
	asked := command{op: "request", who: "rider", answered: true}
	return append(all, porcupine.Operation{ClientId: -1, Input: asked, Output: asked, Call: first - 2, Return: first - 1})
}

func judged(op string) bool {
	switch op {
	case "request", "accept", "cancel", "arrived", "start", "complete":
		return true
	}
	return false
}

// trip is the state of the model.
type trip struct {
	status, driver string
	version        uint32
}

// tripModel models a trip under its parties' commands.
var tripModel = porcupine.NondeterministicModel{
	Init:  func() []any { return []any{trip{}} },
	Step:  func(state, input, _ any) []any { return step(state.(trip), input.(command)) }, //nolint:forcetypeassert // ours
	Equal: func(a, b any) bool { return a == b },
}

// step returns the states that a command can lead to; none if its answer is wrong.
func step(t trip, c command) []any {
	if c.answered && c.code != "" {
		return []any{t} // refused: nothing happened
	}
	next, ok := effect(t, c)
	switch {
	case !c.answered && ok:
		return []any{t, next}
	case !c.answered:
		return []any{t}
	case !ok:
		return nil
	}
	if c.version > 0 {
		if c.version <= t.version || (c.status != "" && c.status != next.status) {
			return nil
		}
		next.version = c.version
	}
	return []any{next}
}

// effect is what a command does if it succeeds; it reports false if it cannot succeed.
func effect(t trip, c command) (trip, bool) {
	switch {
	case c.op == "request" && t.status == "":
		return trip{status: requested, version: t.version}, true
	case c.op == "accept" && t.status == requested:
		return trip{matched, c.who, t.version}, true
	case c.op == "cancel" && c.who[0] == 'r' && (t.status == requested || t.status == matched || t.status == arrived):
		return trip{cancelled, t.driver, t.version}, true
	case t.driver != c.who:
		return t, false
	case c.op == "cancel" && (t.status == matched || t.status == arrived):
		return trip{status: requested, version: t.version}, true
	case c.op == "arrived" && t.status == matched:
		return trip{arrived, t.driver, t.version}, true
	case c.op == "start" && t.status == arrived:
		return trip{inProgress, t.driver, t.version}, true
	case c.op == "complete" && t.status == inProgress:
		return trip{completed, t.driver, t.version}, true
	}
	return t, false
}
