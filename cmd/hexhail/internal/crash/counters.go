package crash

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// The nodes' metrics that a run adds up over all of their processes.
const (
	misdirected   = "hexhail_messages_misdirected_total"
	brokenStreams = "hexhail_node_streams_broken_total"
	stale         = "hexhail_stale_commits_total"
	frames        = "hexhail_node_frames_total"
)

// countEach is how often they are read: what a killed process counts in its last second is lost.
const countEach = time.Second

// counters are the newest values of each process. They may be used from any goroutine.
type counters struct {
	mu     sync.Mutex
	values map[*child]map[string]float64
	read   map[*child]time.Time // when
	rises  []rise               // of the stale commits
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// rise is that a process counted further stale commits between two readings.
type rise struct {
	from, to time.Time
	by       int
}

// count begins to read the nodes' metrics, until end is called.
func (c *cluster) count() {
	ctx, stop := context.WithCancel(context.Background())
	c.counters.values, c.counters.read, c.counters.stop = make(map[*child]map[string]float64), make(map[*child]time.Time), stop
	c.counters.done.Go(func() {
		for c.pause(ctx, countEach) {
			for _, n := range c.nodes {
				c.readCounters(ctx, n)
			}
		}
	})
}

// readCounters reads a node's metrics. A node that does not answer keeps what it had.
func (c *cluster) readCounters(ctx context.Context, n *node) {
	n.mu.Lock()
	process := n.child
	n.mu.Unlock()
	values, err := readMetrics(ctx, "http://"+process.ops+"/metrics")
	if err != nil {
		return
	}
	c.counters.note(process, values, time.Now())
}

// note takes a process' values at a time.
func (c *counters) note(process *child, values map[string]float64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, known := c.read[process]
	if !known {
		from = now.Add(-countEach)
	}
	if by := values[stale] - c.values[process][stale]; by > 0 {
		c.rises = append(c.rises, rise{from, now, int(by)})
	}
	c.values[process], c.read[process] = values, now
}

// unexplained are the rises of times without a fault, and the stale commits in them. A node that was lost may
// have been about to write for a while after it.
func (c *counters) unexplained(faults []window) (rises []rise, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rises {
		explained := slices.ContainsFunc(faults, func(w window) bool { return !r.to.Before(w.from) && r.from.Before(w.to.Add(settles)) })
		if !explained {
			rises, n = append(rises, r), n+r.by
		}
	}
	return rises, n
}

// manyStale is the number of stale commits without a fault from which nodes take trips from each other. A single one
// may come from two actors of a trip on one node, of which one was just stopping.
const manyStale = 5

// settles is how long after a fault a commit may still be stale because of it.
const settles = 5 * time.Second

// end stops the reading. More calls do nothing.
func (c *counters) end() {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
	}
}

// sum adds up a metric of all processes.
func (c *counters) sum(name string) (sum float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.values {
		sum += v[name]
	}
	return sum
}

// readMetrics reads counters from a URL, added up over their labels.
func readMetrics(ctx context.Context, url string) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	out := make(map[string]float64)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			out[name] += m.GetCounter().GetValue()
		}
	}
	return out, nil
}

// judgeCounters fills in what the nodes have counted, and judges what must stay zero.
func (c *cluster) judgeCounters(r *ClusterReport) {
	r.Frames, r.StaleCommits = int(c.counters.sum(frames)), int(c.counters.sum(stale))
	rises, n := c.counters.unexplained(c.windows())
	for _, x := range rises {
		r.StaleWithoutFault = append(r.StaleWithoutFault, math.Round(x.to.Sub(c.begun).Seconds()*10)/10)
	}
	if n >= manyStale {
		c.verdict.add(fewActivations, "nodes took trips from each other though nothing was broken: %d commits were stale, at %v s", n, r.StaleWithoutFault)
	}
	if n := c.counters.sum(misdirected); n > 0 {
		c.verdict.add(noStranger, "%.0f messages reached another account's actor", n)
	}
	if n := c.counters.sum(brokenStreams); n > 0 {
		c.verdict.add(noStranger, "%.0f streams between nodes had invalid content", n)
	}
}
