package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/persistence/localpg"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/transport/auth"
)

// ErrMissing means that a program which the proof starts is not installed. The message names it.
var ErrMissing = errors.New("a program is missing")

// movesPerSecond is how many people of the city begin a second session each second.
const movesPerSecond = 2

// promised is what nodes with these settings promise about searches: three rings reach at least
// 1.9 km, and a car covers less than the rest between two positions.
var promised = check.Reach{RadiusM: 1500, Within: 2 * time.Second, Offers: 8, Settle: 5 * time.Second}

// cluster is several nodes on one Postgres and one etcd.
type cluster struct {
	*proof
	schedule schedule
	draw     func() fault // for as long as the options say; nil: the schedule is all
	network  network      // nil: it is not connected yet
	nodes    []*node
	etcd     *etcd           // nil: not ours
	postgres *localpg.Server // nil: not ours
	owner    func(ride.TripID) (actors.Member, bool)
	episodes []*episode

	guests      *guests // nil: they do not come yet
	counters    counters
	activations activations

	broken  chan struct{} // closed when a node cannot be started
	once    sync.Once
	err     error // why; valid once broken is closed
	closing chan struct{}
	watches sync.WaitGroup
}

// node is one place in the cluster; its processes follow each other.
type node struct {
	name    string
	program *program
	address string // for the other nodes
	socket  string // URL; the same for all processes

	mu      sync.Mutex
	child   *child
	awaited bool // its end is meant
	mayEnd  bool // it may end itself
	ends    int  // how often it ended itself
}

// startCluster starts what is missing, and the nodes.
func (p *proof) startCluster(ctx context.Context, issuer simulate.Issuer) (err error) {
	c := &cluster{proof: p, broken: make(chan struct{}), closing: make(chan struct{})}
	p.cluster, p.subject, p.watch.keeps = c, c, true
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	database, registry := p.o.DatabaseURL, p.o.Etcd
	if database == "" {
		if c.postgres, err = localpg.Start(); errors.Is(err, localpg.ErrMissing) {
			return fmt.Errorf("%w: PostgreSQL: %w; install it, or name a database with --database-url", ErrMissing, err)
		} else if err != nil {
			return err
		}
		database = c.postgres.URL()
	}
	if registry == "" {
		if c.etcd, err = startEtcd(ctx, p.dir); err != nil {
			return err
		}
		registry = c.etcd.client
	}
	p.store = p.o.store(p.dir, database)
	all := servers{database: database, registry: registry, ourPostgres: c.postgres != nil, ourEtcd: c.etcd != nil}
	if c.network, err = p.o.connect(p.dir, all); err != nil {
		return err
	}
	in := environment{
		nodes: p.o.Nodes, lease: p.o.Lease, etcd: c.etcd != nil, pg: c.postgres != nil, network: c.network.cuts(), long: p.o.Duration >= longRun,
	}
	if c.schedule, err = p.o.faults(in); err != nil {
		return err
	}
	if p.o.Duration > 0 {
		c.schedule, c.draw = nil, newDrawer(p.o.Seed, in).next
	}
	return c.startNodes(ctx, issuer)
}

// faults is the schedule that the options name, or else one that their seed draws.
func (o *Options) faults(in environment) (schedule, error) {
	if o.Schedule == "" {
		return newSchedule(o.Seed, o.Rounds, in), nil
	}
	s, err := parseSchedule(o.Schedule, in.nodes)
	if err != nil {
		return nil, err
	}
	for _, f := range s {
		if what := in.lacks(f.form()); what != "" {
			return nil, fmt.Errorf("--schedule: %s needs %s", f, what)
		}
	}
	return s, nil
}

func (c *cluster) startNodes(ctx context.Context, issuer simulate.Issuer) error {
	key := filepath.Join(c.dir, "signing-key.pem")
	if _, err := auth.LoadOrCreateKey(key); err != nil {
		return err
	}
	var members []actors.Member
	for i := range c.o.Nodes {
		n := &node{name: nodeName(i)}
		w, err := c.network.join(n.name)
		if err != nil {
			return err
		}
		n.address = w.address
		dir := filepath.Join(c.dir, n.name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("directory of a node: %w", err)
		}
		if n.program, err = c.o.server(dir, w, issuer, c.flags(n.name, key, w)...); err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
		members = append(members, actors.Member{Address: n.address})
	}
	c.owner = actors.OwnerAmong(members)
	for _, n := range c.nodes {
		if err := c.run(ctx, n); err != nil {
			return err
		}
		n.socket = n.child.socket
	}
	if !c.whole(ctx, startWithin) {
		return fmt.Errorf("%w: the nodes do not find each other; their logs are in %s", ErrServer, c.dir)
	}
	c.count()
	return c.activations.follow(ctx, c.store)
}

// flags are those of a node. The limits keep the proportions of their defaults.
func (c *cluster) flags(name, key string, w wires) []string {
	lease := c.o.Lease
	return append([]string{
		"--signing-key-file=" + key, "--cluster=etcd://" + w.registry + "/crash", "--advertise=" + w.address, "--cluster-listen=" + w.listen,
		"--node-name=" + name, "--cluster-lease=" + lease.String(), "--cluster-silence=" + (2 * lease / 3).String(),
		"--cluster-alone=" + alone(lease).String(), "--cluster-without-database=" + withoutDatabase(lease).String(),
		"--database-conns=8", fmt.Sprintf("--dispatch-cap=%d", promised.Offers),
	}, w.flags...)
}

// run starts a node's process, and sees to it that one runs until it is meant to end.
func (c *cluster) run(ctx context.Context, n *node) error {
	child, err := n.program.start(ctx)
	if err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	n.mu.Lock()
	n.child, n.awaited = child, false
	select {
	case <-c.closing:
		n.awaited = true
		_ = child.process.Kill() // it may be gone
	default:
	}
	n.mu.Unlock()
	c.watches.Go(func() { c.attend(n, child) })
	return nil
}

// attend starts a node again that has ended by itself, as a supervisor would.
func (c *cluster) attend(n *node, child *child) {
	<-child.exited
	n.mu.Lock()
	awaited, mayEnd := n.awaited, n.mayEnd
	if !awaited {
		n.ends++
	}
	n.mu.Unlock()
	if awaited {
		return
	}
	c.judgeEnd(n, child.exitCode(), mayEnd)
	c.restart(n)
}

// startEach is how long a supervisor waits before it starts a node again that could not start.
const startEach = time.Second

// restart starts a node again that has ended. While a fault lasts that may end it, it may also be unable to
// start.
func (c *cluster) restart(n *node) {
	for {
		select {
		case <-c.closing:
			return
		default:
		}
		err := c.run(context.Background(), n)
		n.mu.Lock()
		mayEnd := n.mayEnd
		n.mu.Unlock()
		switch {
		case err == nil:
			return
		case !mayEnd:
			c.fail(err)
			return
		}
		select {
		case <-c.closing:
			return
		case <-time.After(startEach):
		}
	}
}

// judgeEnd judges a node that has ended by itself.
func (c *cluster) judgeEnd(n *node, code int, mayEnd bool) {
	switch {
	case code != server.ExitEnded:
		c.verdict.add(serverLife, "node %s exited with code %d; its log is %s", n.name, code, n.program.log.Name())
	case mayEnd:
	case c.city != nil && c.lag(c.since(time.Now().Add(-4*c.o.Lease)), c.since(time.Now())) > c.o.Lease/4:
		fmt.Fprintf(c.out, "node %s ended itself, because this machine lags\n", n.name)
	default:
		c.verdict.add(serverLife, "node %s ended itself though nothing stopped it from working; its log is %s", n.name, n.program.log.Name())
	}
}

// fail ends the run.
func (c *cluster) fail(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.broken)
	})
}

// end is why the run has failed; nil: it has not.
func (c *cluster) end() error {
	select {
	case <-c.broken:
		return c.err
	default:
		return nil
	}
}

func (c *cluster) failed() <-chan struct{} { return c.broken }

func (c *cluster) sockets() []string {
	var out []string
	for _, n := range c.nodes {
		out = append(out, n.socket)
	}
	return out
}

// stop shuts all nodes down, one after the other.
func (c *cluster) stop() error {
	c.guests.leave()
	c.counters.end()
	err := c.activations.end()
	for _, n := range c.nodes {
		err = errors.Join(err, c.shutDown(n))
	}
	return err
}

// shutDown shuts a node down.
func (c *cluster) shutDown(n *node) error {
	child := n.await()
	c.readCounters(context.Background(), n)
	if err := child.stop(); err != nil {
		return fmt.Errorf("node %s: %w: %s", n.name, err, n.program.lastWords())
	}
	return nil
}

// await says that the end of a node's process, which it returns, is meant.
func (n *node) await() *child {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.awaited = true
	return n.child
}

// close ends all processes.
func (c *cluster) close() {
	close(c.closing)
	for _, n := range c.nodes {
		if child := n.await(); child != nil {
			child.kill()
		}
	}
	c.watches.Wait()
	c.guests.leave()
	c.counters.end()
	_ = c.activations.end() // it only read
	if c.network != nil {
		c.network.close()
	}
	for _, n := range c.nodes {
		_ = n.program.log.Close() // nothing of ours is in its buffer
	}
	if c.etcd != nil {
		c.etcd.close()
	}
	if c.postgres != nil {
		_ = c.postgres.Close() // it is deleted
	}
}
