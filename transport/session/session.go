package session

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

// phase is how far a session has come.
type phase uint8

const (
	awaiting   phase = iota // for the connect message
	connecting              // being authenticated and joined
	live                    // until the token expires
)

// session is one socket from its upgrade to its end. It is the outbox that its
// account's actor writes to, and the handler of what its client sends.
type session struct {
	h      *Handler
	conn   *ws.Conn
	codec  wire.Codec
	id     string
	opened time.Time

	// Owned by the reader goroutine.
	inbox     transport.Inbox // nil until joined
	header    *credential     // of the handshake, nil if it brought none
	role      ride.Role
	client    string // fit for a log
	plain     plainLocation
	refused   int // frames in a row
	frames    *rate.Limiter
	commands  *rate.Limiter
	locations *rate.Limiter

	// unanswered are the frames whose reply an actor owes, joining the id of a connect that
	// is one of them.
	unanswered debts
	joining    atomic.Pointer[string]

	// account and logIn belong to the registry and its lock.
	account ride.AccountID
	logIn   LogIn

	mu      sync.Mutex
	phase   phase
	expires time.Time // of the credentials, while live
	timer   *time.Timer
	out     cursor // of the last event sent
	moved   movedKey
	ended   bool // closed by us
}

// cursor is where a client is in its stream of events.
type cursor struct {
	epoch string
	seq   uint32
}

func newSession(h *Handler, conn *ws.Conn, codec wire.Codec, header *credential) *session {
	s := &session{
		h: h, conn: conn, codec: codec, header: header,
		id: rand.Text(), opened: time.Now(),
		frames:    limiter(h.cfg.FrameRate, h.cfg.FrameBurst),
		commands:  limiter(h.cfg.CommandRate, h.cfg.CommandBurst),
		locations: limiter(h.cfg.LocationRate, h.cfg.LocationBurst),
	}
	s.unanswered.within, s.unanswered.due = h.cfg.AnswerWithin, s.overdue
	return s
}

// run serves the socket until it is gone, then leaves the actor.
func (s *session) run() {
	s.h.metrics.opened(s.codec)
	s.mu.Lock()
	s.timer = time.AfterFunc(s.h.cfg.ConnectTimeout, s.onTimer)
	s.mu.Unlock()
	closed := s.conn.Serve(s)
	s.mu.Lock()
	s.ended = true
	s.timer.Stop()
	s.mu.Unlock()
	s.unanswered.end()
	if s.inbox != nil {
		s.inbox.Leave()
	}
	s.report(closed)
}

// report counts a session's end and, if it was one with an account, logs it.
func (s *session) report(closed ws.Closed) {
	code := closed.Code
	s.h.metrics.closed(s.codec, s.role, code)
	level := slog.LevelInfo
	if s.inbox == nil {
		level = slog.LevelDebug // strangers do not fill the log
	}
	s.h.cfg.Logger.Log(s.h.ctx, level, "session ended",
		"session", s.id, "account", string(s.account), "role", string(s.role),
		"encoding", encodingOf(s.codec), "client", s.client,
		"duration", time.Since(s.opened).Round(time.Millisecond), "code", int(code), "by", string(closed.By))
}

// longestWait bounds how long the timer runs without a look at the clock, which
// may have been set, or stopped with the machine, meanwhile.
const longestWait = time.Minute

// onTimer enforces the deadline of the current phase.
func (s *session) onTimer() {
	s.mu.Lock()
	phase, left := s.phase, time.Until(s.expires)
	if phase == live && left > 0 && !s.ended {
		s.timer.Reset(min(left, longestWait))
	}
	s.mu.Unlock()
	switch {
	case phase == awaiting:
		s.Close(ridepb.CloseConnectTimeout, 0)
	case phase == live && left <= 0:
		s.Close(ridepb.CloseTokenExpired, 0)
	}
}

// enter begins a phase; it returns false if the session was closed before.
func (s *session) enter(p phase, expires time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.phase, s.expires = p, expires
	if p == live {
		s.timer.Reset(min(time.Until(expires), longestWait))
	} else {
		s.timer.Stop()
	}
	return true
}

// loggable makes a client's text fit for a log line.
func loggable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
