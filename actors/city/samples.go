package city

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

const (
	// Step is the length of one sample; sampleRing of them, 24 hours, are kept.
	Step       = 10 * time.Second
	sampleRing = int(24 * time.Hour / Step)
	// maxRefill bounds the trips that are read to fill the charts at start-up.
	maxRefill = 20_000
)

// charts keeps the last 24 hours in memory, in steps of Step: of this node, or in a cluster of all
// nodes. Safe for concurrent use.
type charts struct {
	nowMu sync.Mutex
	now   sample // the counts of the current step

	mu   sync.RWMutex
	ring []sample // oldest first, from head
	head int      // where the next sample goes

	nodes gathering
}

// sample is one step. Its gauges are sums over its readings.
type sample struct {
	end                                                     int64 // seconds since 1970
	requests, matches, completions, cancellations, expiries int32
	waits                                                   waitHistogram
	readings                                                int32
	online, available, trips, sessions                      float32
	locations, seconds                                      float32
	commits                                                 int32
	commitMS, commitMaxMS                                   float32
	tripsOnly                                               bool
	missing                                                 uint16 // nodes
}

// Waits are counted in buckets whose bounds grow by a factor of 1.5 from 10 ms to 3 minutes.
const waitClasses = 26

const (
	waitFirst  = 10 * time.Millisecond
	waitGrowth = 1.5
)

// waitHistogram counts matches by how long they took.
type waitHistogram struct {
	classes [waitClasses]uint16
	sumMS   float32
}

func (h *waitHistogram) add(d time.Duration) {
	class := 0
	if d > waitFirst {
		class = int(math.Ceil(math.Log(float64(d)/float64(waitFirst)) / math.Log(waitGrowth)))
	}
	if c := &h.classes[min(class, waitClasses-1)]; *c < math.MaxUint16 {
		*c++
	}
	h.sumMS += float32(d.Seconds() * 1e3)
}

func (h *waitHistogram) merge(o *waitHistogram) {
	for i, n := range o.classes {
		h.classes[i] = uint16(min(uint32(h.classes[i])+uint32(n), math.MaxUint16))
	}
	h.sumMS += o.sumMS
}

// quantile is the geometric mean of the bounds of the bucket that holds a quantile, in
// milliseconds.
func (h *waitHistogram) quantile(q float64) float32 {
	total, seen := 0, 0
	for _, n := range h.classes {
		total += int(n)
	}
	for i, n := range h.classes {
		if seen += int(n); n > 0 && float64(seen) >= q*float64(total) {
			return float32(waitFirst.Seconds() * 1e3 * math.Pow(waitGrowth, float64(i)-0.5))
		}
	}
	return 0
}

// transition counts a committed transition.
func (c *charts) transition(before, after *ride.Trip) {
	if before.Status == after.Status {
		return
	}
	c.nowMu.Lock()
	defer c.nowMu.Unlock()
	switch {
	case before.Status == ride.StatusNone:
		c.now.requests++
	case after.Status == ride.StatusMatched:
		c.now.matched(after)
	case after.Status.Final():
		c.now.ended(after)
	}
}

// take returns the counts of the current step and begins the next.
func (c *charts) take() sample {
	c.nowMu.Lock()
	defer c.nowMu.Unlock()
	s := c.now
	c.now = sample{}
	return s
}

// matched counts a trip that was matched in this step.
func (s *sample) matched(t *ride.Trip) {
	s.matches++
	s.waits.add(t.MatchedAt.Sub(t.RequestedAt))
}

// ended counts a trip that ended in this step.
func (s *sample) ended(t *ride.Trip) {
	switch t.Status {
	case ride.StatusCompleted:
		s.completions++
	case ride.StatusCancelled:
		s.cancellations++
	case ride.StatusExpired:
		s.expiries++
	}
}

// push adds a finished step in place of the oldest.
func (c *charts) push(s sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.append(s)
}

// append is push; c.mu is held.
func (c *charts) append(s sample) {
	if len(c.ring) < sampleRing {
		c.ring = append(c.ring, s)
		return
	}
	c.ring[c.head] = s
	c.head = (c.head + 1) % sampleRing
}

// sampler reads the gauges every second and closes a step whenever the clock passes a multiple of
// Step. It is owned by one goroutine.
type sampler struct {
	city      *City
	step      sample
	begun     time.Time
	locations float64 // the count at the start of the step
}

// sample samples until the context ends.
func (c *City) sample(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	m := &sampler{city: c, begun: time.Now(), locations: c.cfg.Positions()}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			m.read()
			if now.Truncate(Step).After(m.begun) {
				m.close(now)
			}
		}
	}
}

func (m *sampler) read() {
	c := m.city
	m.step.readings++
	m.step.online += float32(c.Drivers.online())
	m.step.available += float32(c.Drivers.states[ridepb.CityDriver_available].Load() + c.Drivers.states[ridepb.CityDriver_offered].Load())
	m.step.trips += float32(c.Trips.live())
	m.step.sessions += float32(c.sessions.Load())
}

// close ends the current step and begins the next.
func (m *sampler) close(now time.Time) {
	c, step := m.city, m.step
	counted := c.charts.take()
	step.merge(&counted)
	step.end = now.Truncate(Step).Unix()
	locations := c.cfg.Positions()
	step.locations, step.seconds = float32(locations-m.locations), float32(now.Sub(m.begun).Seconds())
	if c.cfg.Commits != nil {
		n, sum, longest := c.cfg.Commits()
		step.commits, step.commitMS, step.commitMaxMS = int32(n), float32(sum.Seconds()*1e3), float32(longest.Seconds()*1e3)
	}
	c.finish(step)
	m.step, m.begun, m.locations = sample{}, now, locations
	c.Trips.prune(now)
	for _, k := range c.cfg.Kinds {
		k.Roll()
	}
}

// Samples returns the charts' points that ended after since, oldest first, one for each step, which
// is a multiple of Step. If step is longer than Step, the last point may be incomplete.
func (c *City) Samples(since time.Time, step time.Duration) []*ridepb.Sample {
	r, settled := &c.charts, c.settled()
	r.mu.RLock()
	defer r.mu.RUnlock()
	long := int64(step / time.Second)
	var out []*ridepb.Sample
	var sum sample
	flush := func() {
		if sum.end != 0 {
			out = append(out, sum.show(long))
		}
	}
	for i := range r.ring {
		one := &r.ring[(r.head+i)%len(r.ring)]
		end := (one.end + long - 1) / long * long
		if end <= since.Unix() || one.end > settled {
			continue
		}
		if end != sum.end {
			flush()
			sum = sample{end: end, tripsOnly: true}
		}
		sum.merge(one)
	}
	flush()
	return out
}

func (s *sample) merge(o *sample) {
	s.requests += o.requests
	s.matches += o.matches
	s.completions += o.completions
	s.cancellations += o.cancellations
	s.expiries += o.expiries
	s.waits.merge(&o.waits)
	s.readings += o.readings
	s.online += o.online
	s.available += o.available
	s.trips += o.trips
	s.sessions += o.sessions
	s.locations += o.locations
	s.seconds += o.seconds
	s.commits += o.commits
	s.commitMS += o.commitMS
	s.commitMaxMS = max(s.commitMaxMS, o.commitMaxMS)
	s.tripsOnly = s.tripsOnly && o.tripsOnly
	s.missing = max(s.missing, o.missing)
}

// show returns the step as operators see it; long is its length in seconds.
func (s *sample) show(long int64) *ridepb.Sample {
	per := func(sum, n float32) float32 {
		if n == 0 {
			return 0
		}
		return sum / n
	}
	n := float32(s.readings)
	var missing *ridepb.MissingNodes
	if s.missing > 0 {
		missing = &ridepb.MissingNodes{Count: uint32(s.missing)}
	}
	return &ridepb.Sample{
		At: view.Time(time.Unix(s.end, 0).UTC()), StepS: uint32(long),
		Requests: uint32(s.requests), Matches: uint32(s.matches), Completions: uint32(s.completions),
		Cancellations: uint32(s.cancellations), Expiries: uint32(s.expiries),
		MatchMeanMs: per(s.waits.sumMS, float32(s.matches)), MatchP50Ms: s.waits.quantile(0.5), MatchP90Ms: s.waits.quantile(0.9),
		DriversOnline: per(s.online, n), DriversAvailable: per(s.available, n), TripsLive: per(s.trips, n), Sessions: per(s.sessions, n),
		LocationsPerS: per(s.locations, s.seconds), CommitMeanMs: per(s.commitMS, float32(s.commits)), CommitMaxMs: s.commitMaxMS,
		TripsOnly: s.tripsOnly, Missing: missing,
	}
}
