// Package city is a simulated city: riders and drivers who connect to Hexhail as ordinary clients.
// It speaks only the public protocol. docs/simulation.md describes the model and its parameters.
package city

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/report"
)

// Source hands out requests in the order of their times.
type Source interface {
	// Next returns the next request, false when there are no more.
	Next() (demand.Request, bool)
}

// Config describes a city. Fields without a comment are required.
type Config struct {
	// URLs are those of the servers' sockets; clients are spread over them.
	URLs []string
	// Codecs are the encodings to use, in round-robin order.
	Codecs []wire.Codec
	// Token makes an access token for an account. It is called from many goroutines.
	Token func(role, name string) (string, error)
	// Prefix begins every account's name. It should differ for each run, so that no account is left
	// over from an interrupted one.
	Prefix string

	Requests Source
	Taxis    []demand.Taxi
	// Traces move drivers while they are idle: the n-th driver along the n-th trace.
	// Nil: they cruise.
	Traces []demand.Trace
	Router Router

	// Seed decides everyone's intentions.
	Seed      uint64
	Behaviour Behaviour
	// Speed is the number of simulated seconds per real second.
	Speed float64
	// Riders bounds the accounts of riders; requests wait for a free one. 0: no bound.
	Riders int
	// TripInterval and IdleInterval are the real times between two positions of a
	// driver with and without a trip. The server forgets drivers who are silent for
	// longer than its position TTL.
	TripInterval, IdleInterval time.Duration
	// Duration is the real time after which the city ends; 0: when all requests have been made and
	// have ended.
	Duration time.Duration
	// Dials bounds the handshakes that run at once. 0: 64.
	Dials int
	// Area bounds cruising. The zero area: everywhere.
	Area demand.Area
	// Rest is how long all clients stay connected at the end, at most, until the end of each offer
	// has arrived. 0: they do not wait.
	Rest time.Duration
	// Verify is how many ended trips, and how many live ones, are read over HTTP at the end and
	// compared with what sockets received. Read reads one trip, and fills in version, status and versions; nil: none.
	Verify int
	Read   func(ctx context.Context, trip string) (check.Record, error)

	// Repeats is how many of its latest answered commands each client sends again, under the same
	// ids, after a lost connection; the answers must be the same. 0: commands are not repeated.
	Repeats int
	// Visitors are real people in the city, whom it treats with patience. Nil: none are expected,
	// and they are treated like the city's own people.
	Visitors *Visitors

	// Yield is how many riders may wait for a driver while this machine lags before the city
	// holds further requests back. 0: it holds none back, as a load test must not.
	Yield int

	// Grace is how late the end of an offer may arrive; 0: the checker's default. Servers that are
	// deliberately stopped need more.
	Grace time.Duration
	// Reach is what the servers promise about searches, to judge L2. Nil: it is not judged.
	Reach *check.Reach
	// Recorder keeps the history. Nil: it is judged and forgotten.
	Recorder *check.Recorder
	// Watch, if not nil, is called with every record after it has been judged, from many
	// goroutines. It must not block.
	Watch func(check.Record)
	Log   *slog.Logger
}

func (c *Config) validate() error {
	switch {
	case len(c.URLs) == 0 || len(c.Codecs) == 0 || c.Token == nil || c.Requests == nil || c.Router == nil || c.Log == nil:
		return errors.New("city: the configuration is incomplete")
	case len(c.Taxis) == 0:
		return errors.New("city: there are no drivers")
	case !(c.Speed > 0) || c.Speed > 10_000:
		return errors.New("city: the speed must be above 0 and at most 10,000")
	case c.TripInterval < 10*time.Millisecond || c.IdleInterval < 10*time.Millisecond:
		return errors.New("city: positions may be 10 ms apart, not closer")
	}
	return c.Behaviour.Validate()
}

// ErrNobody means that no driver could go online, so the city did not start. The error that wraps
// it says why.
var ErrNobody = errors.New("no driver could go online")

// City is one run. Make it with New, call Run once.
type City struct {
	// Stats may be read at any time.
	Stats report.Stats

	cfg       Config
	will      Intentions
	clock     clock
	book      *book
	pool      *pool
	drivers   []*driver
	gate      chan struct{}
	checker   *check.Checker
	startedAt time.Time
	life      context.Context //nolint:containedctx // all clients' context: from Run to its end
	ending    atomic.Bool
	silent    atomic.Bool  // drivers send no more positions
	own       sync.Map     // accounts of the city's people
	refused   atomic.Int64 // clients that the server does not want back
	met       atomic.Int64 // sessions that began
	elapsed   atomic.Int64
	probe     probe
	holding   sync.Once // says once that requests are held back
	straying  sync.Once // says once that a place is off the map
}

// New makes a city.
func New(cfg Config) (*City, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Dials <= 0 {
		cfg.Dials = 64
	}
	c := &City{
		cfg: cfg, will: Intentions{cfg.Seed, cfg.Behaviour}, gate: make(chan struct{}, cfg.Dials),
		checker: check.NewChecker(), startedAt: time.Now(),
	}
	if cfg.Grace > 0 {
		c.checker.Grace = cfg.Grace
	}
	c.clock.speed = cfg.Speed
	c.book = newBook(&c.Stats, &c.clock)
	c.pool = newPool(c, cfg.Riders)
	for i, t := range cfg.Taxis {
		var trace *demand.Trace
		if i < len(cfg.Traces) {
			trace = &cfg.Traces[i]
		}
		c.drivers = append(c.drivers, newDriver(c, t, trace))
	}
	return c, nil
}

// The time limits at the start and end of a run.
const (
	warmUp   = 30 * time.Second // for the first drivers to connect
	silence  = 10 * time.Second // of servers that let no client connect
	lead     = 2 * time.Second  // how long a rider's app is open before the request
	settling = 3 * time.Second  // for answers under way
	trailing = 2 * time.Minute  // for what a lagging machine still has to deliver
	outdated = 21 * time.Second // for the end of a trip, until it is late, and the configured grace more
)

// Run runs the city until its duration is over, its requests have ended or ctx ends, and then
// closes all clients and returns nil. The error wraps ErrNobody if no driver can go online.
func (c *City) Run(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	c.life = life
	if c.cfg.Reach != nil {
		c.Note(check.Record{What: check.Promised, Reach: c.cfg.Reach})
	}
	if err := c.wake(ctx); err != nil {
		c.close()
		return err
	}
	begun := time.Now()
	c.clock.begin(begun)
	for _, d := range c.drivers {
		if d.from <= 0 {
			d.begin()
		}
	}
	run, stop := c.shift(ctx)
	defer stop()
	var feeding, probing sync.WaitGroup
	watching, unwatch := context.WithCancel(life)
	defer probing.Wait()
	defer unwatch()
	probing.Go(func() { c.watchTimer(watching) })
	feeding.Go(func() { c.lateShifts(run) })
	feeding.Go(func() { c.hearCalls(run) })
	if c.feed(run) {
		c.drain(run)
	}
	stop()
	feeding.Wait()
	c.elapsed.Store(int64(time.Since(begun)))
	c.finish(ctx)
	c.close()
	return nil
}

// shift returns a context for the time in which people act.
func (c *City) shift(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.cfg.Duration > 0 {
		return context.WithTimeout(ctx, c.cfg.Duration)
	}
	return context.WithCancel(ctx)
}

// wake connects the drivers whose shift has begun and waits for them; if there are none yet, the
// first driver opens the app early. It fails if none of them can connect: the city would have only
// riders.
func (c *City) wake(ctx context.Context) error {
	begun := time.Now()
	early := c.early()
	wanted := int64(0) // drivers who want to be online at once
	for _, i := range early {
		d := c.drivers[i]
		d.start(d, i)
		if d.available() {
			wanted++
		}
	}
	c.until(ctx, warmUp, func() bool {
		refused := c.refused.Load()
		arrived := c.Stats.Connected.Load()+refused >= int64(len(early)) && c.Stats.Online.Load()+refused >= wanted
		return arrived || (c.met.Load() == 0 && time.Since(begun) > silence)
	})
	if empty := c.met.Load() == 0 || (wanted > 0 && c.Stats.Online.Load() == 0); empty && ctx.Err() == nil {
		return fmt.Errorf("%w: %s", ErrNobody, c.why())
	}
	return nil
}

// early are the drivers who connect before the clock begins.
func (c *City) early() []int {
	var out []int
	first := 0
	for i, d := range c.drivers {
		if d.from <= 0 {
			out = append(out, i)
		}
		if d.from < c.drivers[first].from {
			first = i
		}
	}
	if len(out) == 0 {
		out = append(out, first)
	}
	return out
}

// why explains why no driver could go online.
func (c *City) why() string {
	refusals := c.Stats.Errors()
	switch {
	case refusals[fmt.Sprintf("closed_%d", ridepb.CloseUnauthenticated)] > 0:
		return fmt.Sprintf("the servers do not accept the drivers' tokens (close code %d); their outside-issuers must name "+
			"the simulation's issuer, audience and secret, with create-accounts and the role driver", ridepb.CloseUnauthenticated)
	case refusals["closed_404"] > 0:
		return "there is no socket at " + strings.Join(c.cfg.URLs, ", ")
	case len(refusals) == 0 || (len(refusals) == 1 && refusals["cannot_connect"] > 0):
		return "no server answers at " + strings.Join(c.cfg.URLs, ", ")
	}
	return fmt.Sprintf("refusals by code: %v", refusals)
}

// until waits for a condition, no longer than most. Conditions are counters of thousands of
// clients: polling is cheaper than notifications.
func (c *City) until(ctx context.Context, most time.Duration, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for !ok() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// wait waits until a time; it reports false if ctx ends first.
func wait(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// lateShifts connects the drivers who begin later, in the order of their shifts.
func (c *City) lateShifts(ctx context.Context) {
	late := make([]int, 0, len(c.drivers))
	for i, d := range c.drivers {
		if d.from > 0 {
			late = append(late, i)
		}
	}
	slices.SortStableFunc(late, func(a, b int) int { return cmp.Compare(c.drivers[a].from, c.drivers[b].from) })
	for _, i := range late {
		d := c.drivers[i]
		if !wait(ctx, c.clock.when(d.from)) {
			return
		}
		if !d.started() {
			d.start(d, i)
		}
		d.begin()
	}
}

// feed hands the requests to riders; true when there are no more.
func (c *City) feed(ctx context.Context) bool {
	for {
		q, ok := c.cfg.Requests.Next()
		if !ok {
			return true
		}
		due := c.clock.when(q.At)
		if !wait(ctx, due.Add(-lead)) {
			return false
		}
		due, ok = c.hold(ctx, due)
		if !ok {
			return false
		}
		r := c.pool.get()
		for r == nil {
			select {
			case <-c.pool.back:
				r = c.pool.get()
			case <-ctx.Done():
				return false
			}
		}
		r.take(&wish{Request: q, due: due, plan: c.will.Request(q.ID)})
	}
}

// drain waits until all riders are done.
func (c *City) drain(ctx context.Context) {
	if c.cfg.Duration > 0 {
		<-ctx.Done()
		return
	}
	c.until(ctx, 24*time.Hour, func() bool { return c.pool.busy() == 0 })
}

// agents returns everyone who has ever connected.
func (c *City) agents() []*agent {
	var out []*agent
	for _, d := range c.drivers {
		if d.started() {
			out = append(out, &d.agent)
		}
	}
	for _, r := range c.pool.everybody() {
		out = append(out, &r.agent)
	}
	return out
}

// finish stops people from starting anything new, waits for answers and judges what is left.
func (c *City) finish(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	c.ending.Store(true)
	agents := c.agents()
	c.until(ctx, settling, func() bool {
		for _, a := range agents {
			if a.client.Pending() > 0 {
				return false
			}
		}
		return true
	})
	c.until(ctx, c.cfg.Rest, func() bool { return c.checker.OpenOffers() == 0 })
	c.trail(ctx)
	c.verify(ctx)
	c.until(ctx, outdated+c.cfg.Grace, func() bool { return c.checker.Outdated() == 0 })
	c.trail(ctx)
	c.Note(check.Record{What: check.End})
}

// trail waits for news that is overdue because this machine lags.
func (c *City) trail(ctx context.Context) {
	n, lagged := c.checker.Overdue(c.since(time.Now()))
	if n == 0 || !lagged {
		return
	}
	c.cfg.Log.Warn("this machine is too busy: waiting for news that is overdue", "news", n, "most", trailing)
	c.calm()
	c.until(ctx, trailing, func() bool {
		n, _ := c.checker.Overdue(c.since(time.Now()))
		return n == 0
	})
}

// verify reads some trips over HTTP.
func (c *City) verify(ctx context.Context) {
	if c.cfg.Read == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*settling)
	defer cancel()
	for _, trip := range append(c.book.endedTrips(c.cfg.Verify), c.book.quietTrips(c.cfg.Verify)...) {
		switch r, still, err := c.readStill(ctx, trip); {
		case err != nil:
			c.Stats.Error("http_read")
			c.cfg.Log.Warn("a trip could not be read over HTTP", "trip", trip, "error", err)
		case still:
			r.What, r.Trip = check.Read, trip
			c.Note(r)
		}
	}
}

// readStill reads a trip, and reports whether it stood still meanwhile. If its parties had news, as those
// of a visitor's trip may, what was read need not be what they have.
func (c *City) readStill(ctx context.Context, trip string) (r check.Record, still bool, err error) {
	before := c.book.version(trip)
	r, err = c.cfg.Read(ctx, trip)
	return r, c.book.version(trip) == before, err
}

// close ends all clients, many at once.
func (c *City) close() {
	agents := c.agents()
	for _, a := range agents {
		a.quit()
	}
	var all sync.WaitGroup
	for i := range min(len(agents), 256) {
		all.Go(func() {
			for j := i; j < len(agents); j += 256 {
				agents[j].client.Close()
			}
		})
	}
	all.Wait()
}

// Report returns the current figures, or those at the end.
func (c *City) Report() report.Report {
	elapsed := time.Duration(c.elapsed.Load())
	if start := c.clock.start.Load(); elapsed == 0 && start != nil {
		elapsed = time.Since(*start)
	}
	run := report.Run{Seed: c.cfg.Seed, Speed: c.cfg.Speed, Drivers: len(c.drivers), Elapsed: elapsed}
	r := c.Stats.Report(run, c.checker.Violations(), c.checker.Findings())
	late, lag := c.checker.Late()
	r.Met, r.Late, r.TimerLagMs = c.checker.Met(), late, float64(lag.Milliseconds())
	return r
}

// Note judges and keeps a record from outside the city, such as a read over HTTP; a record without
// a time gets the current one. It may be called from any goroutine, even after the city has ended.
func (c *City) Note(r check.Record) {
	if r.At == 0 {
		r.At = c.since(time.Now())
	}
	if r.Ends() || c.cfg.Reach != nil {
		c.lagged(time.Now()) // the record may be late because this process is
	}
	c.judge(r)
}

// judge is Note for a record with a time.
func (c *City) judge(r check.Record) {
	c.checker.Add(r)
	if c.cfg.Recorder != nil {
		c.cfg.Recorder.Add(r)
	}
	if c.cfg.Watch != nil {
		c.cfg.Watch(r)
	}
}

// Lag is how long this machine was late in all between two moments on the records' clock.
func (c *City) Lag(from, to int64) time.Duration { return c.checker.Lag(from, to) }

// StartedAt is the origin of the records' times.
func (c *City) StartedAt() time.Time { return c.startedAt }

// since converts a time to the records' clock.
func (c *City) since(t time.Time) int64 { return int64(t.Sub(c.startedAt)) }

func (c *City) codec(n int) wire.Codec { return c.cfg.Codecs[n%len(c.cfg.Codecs)] }

// spread maps a name to a fixed number from 0 to 1.
func (c *City) spread(name string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // cannot fail
	return float64(h.Sum32()) / math.MaxUint32
}

// offMap counts a drive for which the map has no route.
func (c *City) offMap() {
	c.Stats.OffMap.Add(1)
	c.straying.Do(func() {
		c.cfg.Log.Warn("the map has no route to a place: cars take the straight line there, and the report counts them in off_map")
	})
}

// within keeps a cruising driver in the area.
func (c *City) within(p, otherwise geo.Point) geo.Point {
	if p.Validate() == nil && c.cfg.Area.Has(p) {
		return p
	}
	return otherwise
}
