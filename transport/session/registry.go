package session

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

// revocations is how many of the newest disconnects and checks are remembered for
// sessions whose authentication was under way at the time.
const revocations = 1024

// Registry knows the open sockets and the live sessions of each account. All its
// methods may be called from any goroutine.
type Registry struct {
	maxSockets, maxPerAddress int

	mu        sync.Mutex
	open      int // admitted sockets, also those still in their handshake
	byAddress map[netip.Addr]int
	sessions  map[*session]struct{}
	byAccount map[ride.AccountID][]*session
	draining  bool
	gone      chan struct{} // closed when draining and nothing is open

	// recent is a ring of the newest disconnects and checks; revoked counts all of them.
	recent  [revocations]revocation
	revoked uint64

	overtaken func(ride.AccountID) // nil: nothing checks
}

// LogIn is what a session's credentials descend from.
type LogIn struct {
	// Family is the log-in's name; empty for one at an outside issuer.
	Family string
	// IssuedAt is when an outside issuer made the token, which was not after the session
	// began; zero if it does not say.
	IssuedAt time.Time
}

// revocation is one call of Disconnect, DisconnectOutside, Check or CheckAll.
type revocation struct {
	account ride.AccountID   // empty: all, in a check
	family  string           // empty: all
	outside time.Time        // not zero: only log-ins at outside issuers, by tokens made until then
	code    ridepb.CloseCode // 0: a check
}

func (r revocation) hits(account ride.AccountID, by LogIn) bool {
	switch {
	case r.account != account && (r.account != "" || r.code != 0):
		return false
	case !r.outside.IsZero():
		return by.Family == "" && !by.IssuedAt.After(r.outside)
	}
	return r.family == "" || r.family == by.Family
}

func newRegistry(maxSockets, maxPerAddress int) *Registry {
	return &Registry{
		maxSockets: maxSockets, maxPerAddress: maxPerAddress,
		byAddress: map[netip.Addr]int{},
		sessions:  map[*session]struct{}{},
		byAccount: map[ride.AccountID][]*session{},
		gone:      make(chan struct{}),
	}
}

// Disconnect closes the account's sessions on this server, only those of the log-in
// family unless family is empty. It also reaches sessions that are being
// authenticated at this moment. Sessions on other servers follow the database.
func (r *Registry) Disconnect(account ride.AccountID, family string, code ridepb.CloseCode) {
	r.disconnect(revocation{account: account, family: family, code: code})
}

// DisconnectOutside is Disconnect for the sessions whose tokens an outside issuer
// made until then, or at a time that it did not say.
func (r *Registry) DisconnectOutside(account ride.AccountID, until time.Time, code ridepb.CloseCode) {
	r.disconnect(revocation{account: account, outside: until, code: code})
}

func (r *Registry) disconnect(what revocation) {
	r.mu.Lock()
	r.remember(what)
	var hit []*session
	for _, s := range r.byAccount[what.account] {
		if what.hits(what.account, s.logIn) {
			hit = append(hit, s)
		}
	}
	r.mu.Unlock()
	for _, s := range hit {
		s.Close(what.code, 0)
	}
}

// remember keeps a revocation for sessions that are being authenticated; r.mu is held.
func (r *Registry) remember(what revocation) {
	r.recent[r.revoked%revocations] = what
	r.revoked++
}

// Check begins a comparison of the account's sessions with the database: it returns
// their log-ins. A session whose authentication began before and that is bound
// afterwards may have seen an older state of the database, and would be in neither; the
// function given to OnOvertaken is called for it.
func (r *Registry) Check(account ride.AccountID) []LogIn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(revocation{account: account})
	return r.logIns(account)
}

// CheckAll is Check for all accounts with sessions.
func (r *Registry) CheckAll() map[ride.AccountID][]LogIn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(revocation{})
	out := make(map[ride.AccountID][]LogIn, len(r.byAccount))
	for account := range r.byAccount {
		out[account] = r.logIns(account)
	}
	return out
}

// OnOvertaken sets what is called for the account of each session that a check
// missed; see Check. It is called by sessions' goroutines and must not block. Call
// OnOvertaken before the first check.
func (r *Registry) OnOvertaken(f func(ride.AccountID)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overtaken = f
}

// logIns are those of the account's sessions; r.mu is held.
func (r *Registry) logIns(account ride.AccountID) []LogIn {
	var out []LogIn
	for _, s := range r.byAccount[account] {
		if !slices.Contains(out, s.logIn) {
			out = append(out, s.logIn)
		}
	}
	return out
}

// Len returns the number of open sockets.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// admit makes room for a socket, or says why there is none.
func (r *Registry) admit(addr netip.Addr) *handshakeRefusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.draining:
		return refusedDraining
	case r.open >= r.maxSockets:
		return refusedFull
	case r.maxPerAddress > 0 && !addr.IsLoopback() && r.byAddress[addr] >= r.maxPerAddress:
		return refusedAddressFull
	}
	r.open++
	r.byAddress[addr]++
	return nil
}

// release gives the room of an admitted socket back.
func (r *Registry) release(addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if r.byAddress[addr]--; r.byAddress[addr] == 0 {
		delete(r.byAddress, addr)
	}
	if r.draining && r.open == 0 {
		close(r.gone)
	}
}

// add makes a session known; draining tells that it is too late for it.
func (r *Registry) add(s *session) (draining bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[s] = struct{}{}
	return r.draining
}

// remove forgets a session.
func (r *Registry) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s)
	of := r.byAccount[s.account]
	for i := range of {
		if of[i] == s {
			of = append(of[:i:i], of[i+1:]...)
			break
		}
	}
	if len(of) == 0 {
		delete(r.byAccount, s.account)
		return
	}
	r.byAccount[s.account] = of
}

// mark names this moment, for bind. Take it before an authentication begins.
func (r *Registry) mark() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revoked
}

// bind makes a session one of its account's. It returns the close code of a
// disconnect of that account since the mark, or 0. When too much happened since
// then to know, the code is CloseInternal: the client reconnects
// and is authenticated again.
func (r *Registry) bind(s *session, account ride.AccountID, by LogIn, mark uint64) ridepb.CloseCode {
	code, overtaken := r.tryBind(s, account, by, mark)
	if overtaken != nil {
		overtaken(account)
	}
	return code
}

// tryBind also returns what to call because a check overtook the session; nil: nothing.
func (r *Registry) tryBind(s *session, account ride.AccountID, by LogIn, mark uint64) (ridepb.CloseCode, func(ride.AccountID)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.revoked-mark > revocations {
		return ridepb.CloseInternal, nil
	}
	var overtaken func(ride.AccountID)
	for n := mark; n < r.revoked; n++ {
		switch what := r.recent[n%revocations]; {
		case !what.hits(account, by):
		case what.code == 0:
			overtaken = r.overtaken
		default:
			return what.code, nil
		}
	}
	s.account, s.logIn = account, by
	r.byAccount[account] = append(r.byAccount[account], s)
	return 0, overtaken
}

// drain admits no further session. It returns the sessions, and a channel that
// is closed when the last socket is gone.
func (r *Registry) drain() ([]*session, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.draining {
		r.draining = true
		if r.open == 0 {
			close(r.gone)
		}
	}
	return r.snapshot(), r.gone
}

func (r *Registry) isDraining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

// all returns the sessions of this moment.
func (r *Registry) all() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot()
}

func (r *Registry) snapshot() []*session {
	out := make([]*session, 0, len(r.sessions))
	for s := range r.sessions {
		out = append(out, s)
	}
	return out
}

// addressKey is what Config.MaxPerAddress counts by: the address of the client's network, and
// loopback addresses whole. An invalid address gives the zero key.
func addressKey(address string) netip.Addr {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Addr{}
	}
	if a = clientaddr.Plain(a); a.IsLoopback() {
		return a
	}
	return clientaddr.Network(a).Addr()
}
