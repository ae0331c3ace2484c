package membership

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a cluster in virtual time: judges with their owners, a registry, and links between them,
// in one loop. The same seed gives the same run.
type world struct {
	t      *testing.T
	rand   *rand.Rand
	limits Limits
	now    time.Time
	queue  events
	serial int
	reg    *registry
	nodes  []*process // the current process of each node
	cut    map[link]bool
	// lag is how long any running process may stand still at any time; 0: never.
	lag  time.Duration
	each []func() // called after each event
	log  []string
	ends map[Rule]int
}

// link is a way from one node to another; etcd stands for the registry.
type link struct{ from, to int }

const etcd = -1

type event struct {
	at     time.Time
	serial int
	run    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, k int) bool {
	if !e[i].at.Equal(e[k].at) {
		return e[i].at.Before(e[k].at)
	}
	return e[i].serial < e[k].serial
}
func (e events) Swap(i, k int) { e[i], e[k] = e[k], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// newWorld starts nodes one after another and waits until each counts all.
func newWorld(t *testing.T, seed uint64, nodes int, limits Limits) *world {
	t.Helper()
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 1)), limits: limits,
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), cut: map[link]bool{}, ends: map[Rule]int{},
	}
	w.reg = &registry{w: w, keys: map[ID]*key{}, running: true}
	for i := range nodes {
		w.nodes = append(w.nodes, nil)
		w.start(i)
		w.run(2 * limits.List)
	}
	w.until(12*limits.List, w.isWhole)
	w.log = nil
	return w
}

// at runs f after d.
func (w *world) at(d time.Duration, f func()) {
	w.serial++
	heap.Push(&w.queue, event{w.now.Add(d), w.serial, f})
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(end) {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.run()
		for _, f := range w.each {
			f()
		}
	}
	w.now = end
}

// until lets time pass until a fact holds, and returns how long that took.
func (w *world) until(most time.Duration, fact func() bool) time.Duration {
	w.t.Helper()
	begun := w.now
	for !fact() {
		require.Less(w.t, w.now.Sub(begun), most, "still waiting after %v\n%s", most, w.story())
		w.run(10 * time.Millisecond)
	}
	return w.now.Sub(begun)
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%8.2fs ", w.now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).Seconds())+fmt.Sprintf(format, args...))
}

func (w *world) story() string {
	out := ""
	for _, line := range w.log {
		out += line + "\n"
	}
	for _, p := range w.nodes {
		out += fmt.Sprintf("%v alive=%v frozen=%v counts %v\n", p.self.ID, p.alive, p.frozen, p.counted())
	}
	return out
}

// delay is how long a message is on its way.
func (w *world) delay() time.Duration { return time.Duration(1+w.rand.IntN(20)) * time.Millisecond }

// send delivers f to another node, or to the registry, unless the link is cut at either end of the way.
func (w *world) send(from, to int, f func()) {
	if w.cut[link{from, to}] {
		return
	}
	w.at(w.delay(), func() {
		if !w.cut[link{from, to}] {
			f()
		}
	})
}

// sever cuts the ways between two sides, both ways.
func (w *world) sever(a, b []int) {
	for _, i := range a {
		for _, k := range b {
			w.cut[link{i, k}], w.cut[link{k, i}] = true, true
		}
	}
	w.note("cut %v | %v", a, b)
}

func (w *world) heal() {
	clear(w.cut)
	w.note("healed")
}

// running are the processes that can act.
func (w *world) running() (out []*process) {
	for _, p := range w.nodes {
		if p.alive && !p.frozen {
			out = append(out, p)
		}
	}
	return out
}

// isWhole reports whether all nodes run, and each counts all.
func (w *world) isWhole() bool {
	for _, p := range w.nodes {
		if !p.alive || p.frozen || !p.judge.counts() || len(p.judge.others) != len(w.nodes)-1 {
			return false
		}
		for _, q := range w.nodes {
			if q != p && p.judge.others[q.self.ID] == nil {
				return false
			}
		}
	}
	return true
}

func (w *world) requireWhole() {
	w.t.Helper()
	require.True(w.t, w.isWhole(), w.story())
}

// always fails the test at the moment at which a fact stops holding.
func (w *world) always(what string, fact func() bool) {
	w.each = append(w.each, func() {
		if !fact() {
			require.Fail(w.t, what, w.story())
		}
	})
}

// process is a judge and its owner, as the server has them.
type process struct {
	w      *world
	node   int
	self   Member
	judge  *Judge
	clock  time.Duration // its clock differs from the world's
	alive  bool
	frozen bool
	held   []func()    // what arrived while it was frozen
	met    map[ID]bool // those that it has pinged
	lease  int         // 0: none
	// database is whether it reaches the database.
	database bool
	leaving  bool
	ended    End

	registering bool
	registered  time.Time // a listing that was asked for earlier says nothing about our key
}

// start begins a new process of a node.
func (w *world) start(node int) {
	w.serial++
	p := &process{
		w: w, node: node, alive: true, database: true, met: map[ID]bool{},
		clock: time.Duration(w.rand.IntN(2_000_000)-1_000_000) * time.Millisecond,
		self:  Member{ID: ID{Node: fmt.Sprint("n", node), Incarnation: fmt.Sprintf("%06d", w.serial)}, Address: fmt.Sprint("host", node), Settings: "s", Joining: true},
	}
	var err error
	p.judge, err = New(p.self, w.limits, p.time())
	require.NoError(w.t, err)
	w.nodes[node] = p
	p.repeat(w.limits.Tick, func() {
		p.judge.Database(p.time(), p.database)
		p.judge.Tick(p.time())
	})
	p.repeat(w.limits.List, p.list)
	p.repeat(w.limits.KeepAlive, p.keepAlive)
	p.repeat(w.limits.Ping, p.ping)
	if w.lag > 0 {
		p.lagAgain()
	}
	w.note("%v starts", p.self.ID)
}

func (p *process) time() time.Time { return p.w.now.Add(p.clock) }

// counted are the members that it counts.
func (p *process) counted() (out []ID) {
	out = sorted(p.judge.others)
	if p.judge.counts() {
		out = append(out, p.self.ID)
	}
	slices.SortFunc(out, ID.Compare)
	return out
}

// do runs what the process does at this moment, or once it is thawed.
func (p *process) do(f func()) {
	switch {
	case !p.alive:
	case p.frozen:
		p.held = append(p.held, f)
	default:
		f()
		p.obey()
	}
}

// obey ends the process if its judge says so, as the server does: it deletes its key first.
func (p *process) obey() {
	if end := p.judge.end; p.alive && end.Rule != Stay {
		p.ended = end
		p.w.ends[end.Rule]++
		p.w.note("%v ends: %s", p.self.ID, end.Reason)
		id := p.self.ID
		p.w.send(p.node, etcd, func() { p.w.reg.call(func() { delete(p.w.reg.keys, id) }) })
		p.die()
	}
}

// die ends a process, and its supervisor starts another.
func (p *process) die() {
	p.alive, p.held = false, nil
	p.w.at(time.Second, func() { p.w.start(p.node) })
}

func (p *process) kill() {
	p.w.note("%v is killed", p.self.ID)
	p.alive, p.held = false, nil
}

func (p *process) repeat(every time.Duration, f func()) {
	if !p.alive {
		return
	}
	p.w.at(every, func() {
		p.do(func() {
			f()
			p.repeat(every, f)
		})
	})
}

func (p *process) freeze() {
	p.frozen = true
}

// thaw lets it go on: what it missed comes at once, in an order that nothing prescribes.
func (p *process) thaw() {
	p.frozen = false
	held := p.held
	p.held = nil
	p.w.rand.Shuffle(len(held), func(i, k int) { held[i], held[k] = held[k], held[i] })
	for _, f := range held {
		p.do(f)
	}
}

// lagAgain makes the process stand still for a moment, now and again.
func (p *process) lagAgain() {
	if p.w.lag == 0 {
		return // the lags are over
	}
	p.w.at(time.Duration(p.w.rand.Int64N(int64(2*p.w.lag))), func() {
		if !p.alive || p.w.lag == 0 {
			return
		}
		if !p.frozen {
			p.freeze()
			p.w.at(time.Duration(p.w.rand.Int64N(int64(p.w.lag))), func() {
				if p.alive && p.frozen {
					p.thaw()
				}
			})
		}
		p.lagAgain()
	})
}

func (p *process) ping() {
	for _, m := range p.judge.View().Ping {
		asked := p.time()
		p.met[m.ID] = true
		to := slices.IndexFunc(p.w.nodes, func(o *process) bool { return o.self.Address == m.Address })
		p.w.send(p.node, to, func() {
			q := p.w.nodes[to] // the process that has the address now
			q.do(func() {
				if !q.met[p.self.ID] {
					return // nodes answer only those that they ping
				}
				a, ok := q.judge.Answer(q.time(), p.self.ID)
				if !ok {
					return
				}
				p.w.send(to, p.node, func() {
					p.do(func() { p.judge.Answered(p.time(), asked, m.ID, a) })
				})
			})
		})
	}
}

// list asks for a listing, and registers if the listing lacks the process.
func (p *process) list() {
	asked := p.time()
	p.call(func() {
		members := p.w.reg.list()
		p.w.send(etcd, p.node, func() {
			p.do(func() { p.listed(asked, members) })
		})
	})
	p.w.at(time.Second, func() { p.do(func() { p.judge.ListFailed(p.time()) }) }) // one too many does no harm
}

func (p *process) listed(asked time.Time, members []Member) {
	if asked.Before(p.registered) {
		return // the server asks for one thing after another
	}
	present := slices.ContainsFunc(members, func(m Member) bool { return m.ID == p.self.ID })
	if !present && p.lease != 0 {
		p.lease = 0
		p.judge.LeaseLost(p.time())
	}
	if p.judge.end.Rule != Stay {
		return
	}
	if !present && !p.registering {
		p.register(p.self.Joining)
	}
	p.judge.Listed(p.time(), asked, members)
	if p.self.Joining && p.lease != 0 && !p.registering && p.judge.MayJoin() {
		p.register(false)
	}
}

func (p *process) register(joining bool) {
	p.registering = true
	p.w.at(time.Second, func() { p.do(func() { p.registering = false }) })
	m := p.self
	m.Leaving, m.Joining = p.leaving, joining
	p.call(func() {
		lease, joined := p.w.reg.put(m)
		p.w.send(etcd, p.node, func() {
			p.do(func() {
				p.lease, p.self.Joined, p.registering, p.registered = lease, joined, false, p.time()
				p.self.Joining = joining
				p.judge.LeaseGranted(p.time())
			})
		})
	})
}

func (p *process) keepAlive() {
	if id := p.self.ID; p.lease != 0 {
		p.call(func() { p.w.reg.renew(id) })
	}
}

// leave marks the key and says so to the judge.
func (p *process) leave() {
	p.w.note("%v leaves", p.self.ID)
	p.leaving = true
	p.judge.Leave(p.time())
	id := p.self.ID
	p.call(func() {
		if k := p.w.reg.keys[id]; k != nil {
			k.Leaving = true
		}
	})
}

// call asks the registry.
func (p *process) call(f func()) {
	p.w.send(p.node, etcd, func() { p.w.reg.call(f) })
}

// registry is an etcd with leases.
type registry struct {
	w        *world
	keys     map[ID]*key
	revision int64
	running  bool
	held     []func()
}

type key struct {
	Member
	lease   int
	expires time.Time
}

func (r *registry) call(f func()) {
	if !r.running {
		r.held = append(r.held, f)
		return
	}
	for id, k := range r.keys {
		if r.w.now.After(k.expires) {
			delete(r.keys, id)
		}
	}
	f()
}

func (r *registry) list() (out []Member) {
	for _, id := range sorted(r.keys) {
		out = append(out, r.keys[id].Member)
	}
	return out
}

func (r *registry) put(m Member) (lease int, joined int64) {
	r.revision++
	if m.Joined == 0 {
		m.Joined = r.revision
	}
	r.keys[m.ID] = &key{Member: m, lease: int(r.revision)}
	r.renew(m.ID)
	return int(r.revision), m.Joined
}

// renew extends a lease. etcd revokes expired ones up to half a second late.
func (r *registry) renew(id ID) {
	if k := r.keys[id]; k != nil {
		k.expires = r.w.now.Add(r.w.limits.Lease + time.Duration(r.w.rand.IntN(500))*time.Millisecond)
	}
}

// freeze stops the registry; the leases run on.
func (r *registry) freeze() {
	r.running = false
	r.w.note("the registry is frozen")
}

func (r *registry) thaw() {
	r.running = true
	r.w.note("the registry is back")
	held := r.held
	r.held = nil
	for _, f := range held {
		r.call(f)
	}
}

// restart lets the registry come back: the leases start again, or with its data lost nothing is left.
func (r *registry) restart(lost bool) {
	r.held = nil
	if lost {
		clear(r.keys)
	}
	for _, id := range sorted(r.keys) {
		r.renew(id)
	}
	r.thaw()
}
