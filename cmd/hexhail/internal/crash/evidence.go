package crash

import (
	"slices"
	"time"

	"github.com/hexhail/hexhail/sim/check"
)

// evidence is a recorded history, indexed by command and by trip.
type evidence struct {
	startedAt time.Time
	kills     []int64 // on the records' clock
	accounts  map[string]string
	commands  []*command
	told      map[string][]check.Record // by trip: what clients were sent about it

	// sometimes counts what the kills hit.
	sometimes sometimes
}

// command is one command of the history.
type command struct {
	call     check.Record
	account  string
	answer   *check.Record // nil: none
	met      []int64       // the kills during which it was unanswered
	acceptor bool
}

// sometimes are counters that must not stay zero: otherwise the run proves nothing about what they
// count.
type sometimes struct {
	// AcceptsMet and CommandsMet count kills while an acceptance, or any command, was sent and not
	// answered.
	AcceptsMet  int `json:"kills_with_accept_unanswered"`
	CommandsMet int `json:"kills_with_command_unanswered"`
	// Written and Unwritten count commands that a kill left unanswered, by whether the database
	// held them.
	Written   int `json:"unanswered_written"`
	Unwritten int `json:"unanswered_not_written"`
	// Repeated counts answered commands that were sent again to a later server.
	Repeated int `json:"repeated_after_kill"`
	// Fresh counts sessions that a later server began with a new epoch and a snapshot; Resumed
	// counts those that broke while the server was up and got what they had missed.
	Fresh   int `json:"fresh_epoch_after_kill"`
	Resumed int `json:"resumed_with_replay"`
	// Looked counts reads from a later server of what an earlier one had acknowledged.
	Looked int `json:"reads_after_kill"`
}

// span is the time of one session.
type span struct{ from, to int64 }

func newEvidence(history []check.Record, startedAt time.Time, kills []time.Time) *evidence {
	e := &evidence{startedAt: startedAt, accounts: make(map[string]string), told: make(map[string][]check.Record)}
	for _, k := range kills {
		e.kills = append(e.kills, int64(k.Sub(startedAt)))
	}
	sessions := make(map[string][]span)
	commands := make(map[string]*command)
	for i := range history {
		r := &history[i]
		switch r.What {
		case check.Connected:
			e.connected(*r, sessions)
		case check.Lost:
			if s := sessions[r.Who]; len(s) > 0 {
				s[len(s)-1].to = r.At
			}
		case check.Call:
			c := &command{call: *r}
			commands[r.Who+" "+r.ID] = c
			e.commands = append(e.commands, c)
		case check.Return:
			if c := commands[r.Who+" "+r.ID]; c != nil {
				c.answer = r
			}
		case check.Again:
			if c := commands[r.Who+" "+r.ID]; c != nil && c.answer != nil && e.lives(c.answer.At) != e.lives(r.At) {
				e.sometimes.Repeated++
			}
		}
		e.tell(*r)
	}
	for _, c := range e.commands {
		c.account = e.accounts[c.call.Who]
		c.acceptor = c.call.Op == "accept"
		e.waited(c, sessions[c.call.Who])
	}
	e.count()
	return e
}

// lives is the number of kills before at.
func (e *evidence) lives(at int64) int {
	n, _ := slices.BinarySearch(e.kills, at)
	return n
}

func (e *evidence) connected(r check.Record, sessions map[string][]span) {
	e.accounts[r.Who] = r.Account
	if s := sessions[r.Who]; len(s) > 0 {
		switch again := e.lives(s[len(s)-1].from) != e.lives(r.At); {
		case again && !r.Resumed:
			e.sometimes.Fresh++
		case r.Resumed:
			e.sometimes.Resumed++
		}
	}
	sessions[r.Who] = append(sessions[r.Who], span{from: r.At, to: 1<<63 - 1})
}

// tell keeps what a record says about a trip, with the driver if it names one.
func (e *evidence) tell(r check.Record) {
	switch r.What {
	case check.Connected, check.TripNews, check.Look, check.Read:
	case check.Return:
		if r.Code != "" {
			return
		}
	default:
		return
	}
	if r.Trip == "" || r.Version == 0 {
		return
	}
	if r.What == check.Look && e.lives(r.At) > 0 {
		e.sometimes.Looked++
	}
	r.Driver = r.Owner(e.accounts[r.Who])
	e.told[r.Trip] = append(e.told[r.Trip], r)
}

// waited finds the kills that hit a command: it had been sent over a socket that was open until the
// kill, and its answer came over a later socket or not at all.
func (e *evidence) waited(c *command, sessions []span) {
	for _, k := range e.kills[e.lives(c.call.At):] {
		i, _ := slices.BinarySearchFunc(sessions, k, func(s span, at int64) int {
			if s.from < at {
				return -1
			}
			return 1
		})
		// Session i-1 is the last to begin before the kill; session i is the next.
		if c.answer != nil && (i == len(sessions) || c.answer.At < sessions[i].from) {
			return
		}
		if i > 0 && sessions[i-1].to >= k {
			c.met = append(c.met, k)
		}
	}
}

// count counts the kills that hit something.
func (e *evidence) count() {
	accepts, all := make(map[int64]bool), make(map[int64]bool)
	for _, c := range e.commands {
		for _, k := range c.met {
			all[k] = true
			if c.acceptor {
				accepts[k] = true
			}
		}
	}
	e.sometimes.AcceptsMet, e.sometimes.CommandsMet = len(accepts), len(all)
}

// found counts whether the database holds a command that kills hit: at is when it was written, on
// the records' clock; 0 means never.
func (s *sometimes) found(c *command, at int64) {
	for _, k := range c.met {
		if at > 0 && at < k {
			s.Written++
			return // later kills hit only its answer
		}
		s.Unwritten++
	}
}

// missing returns the names of the counters that are zero.
func (s *sometimes) missing() []string {
	var out []string
	for _, r := range s.rows() {
		if r.n == 0 {
			out = append(out, r.name)
		}
	}
	return out
}

type row struct {
	name string
	n    int
}

func (s *sometimes) rows() []row {
	return []row{
		{"kills while an acceptance was unanswered", s.AcceptsMet},
		{"kills while a command was unanswered", s.CommandsMet},
		{"unanswered commands found written", s.Written},
		{"unanswered commands found not written", s.Unwritten},
		{"answered commands repeated after a kill", s.Repeated},
		{"sessions with a fresh epoch after a kill", s.Fresh},
		{"sessions resumed with what they had missed", s.Resumed},
		{"reads of a later server", s.Looked},
	}
}
