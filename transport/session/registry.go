package session

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

// revocations is how many of the newest disconnects are remembered for sessions
// whose authentication was under way at the time.
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

	// recent is a ring of the newest disconnects; revoked counts all of them.
	recent  [revocations]revocation
	revoked uint64
}

// revocation is one call of Disconnect.
type revocation struct {
	account ride.AccountID
	family  string
	code    ridepb.CloseCode
}

func (r revocation) hits(account ride.AccountID, family string) bool {
	return r.account == account && (r.family == "" || r.family == family)
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

// Disconnect closes the account's sessions here, only those of the log-in family
// unless family is empty. It also reaches sessions that are being authenticated
// at this moment.
func (r *Registry) Disconnect(account ride.AccountID, family string, code ridepb.CloseCode) {
	what := revocation{account, family, code}
	r.mu.Lock()
	r.recent[r.revoked%revocations] = what
	r.revoked++
	var hit []*session
	for _, s := range r.byAccount[account] {
		if what.hits(account, s.family) {
			hit = append(hit, s)
		}
	}
	r.mu.Unlock()
	for _, s := range hit {
		s.Close(code, 0)
	}
}

// Families returns the log-ins of the account's sessions here; empty texts stand for those of
// outside issuers.
func (r *Registry) Families(account ride.AccountID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, s := range r.byAccount[account] {
		if !slices.Contains(out, s.family) {
			out = append(out, s.family)
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
func (r *Registry) bind(s *session, account ride.AccountID, family string, mark uint64) ridepb.CloseCode {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.revoked-mark > revocations {
		return ridepb.CloseInternal
	}
	for n := mark; n < r.revoked; n++ {
		if what := r.recent[n%revocations]; what.hits(account, family) {
			return what.code
		}
	}
	s.account, s.family = account, family
	r.byAccount[account] = append(r.byAccount[account], s)
	return 0
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
