// Package city is the operators' picture of one node: its drivers and trips as they are at this
// moment, its cells and its actors. The actors write to it; watches and the record of a wave read it
// without asking an actor. A Merge makes one picture of those of several nodes. The charts of the last
// day are those of all nodes on each of them.
package city

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Config says where the picture gets its data.
type Config struct {
	// Resolution of the H3 cells that route offers.
	Resolution int
	// Kinds are the kinds of this node's actors.
	Kinds []*runtime.Kind
	// Positions returns the number of positions accepted since the node's start.
	Positions func() float64
	// Commits returns the store's transactions since the previous call: their number, total time
	// and longest time. Nil means unknown.
	Commits func() (n int64, all, longest time.Duration)
	// Trips reads past trips. StoreTimeout bounds each call.
	Trips interface {
		ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
	}
	StoreTimeout time.Duration
	// Node names this node among those of a cluster, and Share sends them a step of its charts. A nil
	// Share: this node is alone.
	Node  string
	Share func(*nodepb.ChartStep)
	// Log receives what operators need to know.
	Log *slog.Logger
}

// City is the picture of one node. Make one with New; its methods are safe for concurrent
// use.
type City struct {
	cfg     Config
	started time.Time
	ringM   float64 // how far a ring of cells reaches, in metres

	// Drivers and Trips are written by their actors.
	Drivers Drivers
	Trips   Trips

	charts   charts
	sessions atomic.Int64
}

// New makes an empty picture.
func New(cfg Config) *City {
	c := &City{cfg: cfg, started: time.Now(), ringM: geo.RingM(cfg.Resolution)}
	c.Trips.init()
	c.charts.nodes.joined = make(chan struct{})
	return c
}

// Run samples the charts until the context ends, and meanwhile fills in the trips of the last 24
// hours.
func (c *City) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { c.sample(ctx) })
	both.Go(func() { c.refill(ctx) })
	both.Wait()
}

// Started is when the picture was made.
func (c *City) Started() time.Time { return c.started }

// SessionOpened and SessionClosed count the sessions of this node.
func (c *City) SessionOpened() { c.sessions.Add(1) }

// SessionClosed is the counterpart of SessionOpened.
func (c *City) SessionClosed() { c.sessions.Add(-1) }

// TripChanged shows and counts a committed transition. The owner is the trip's actor; cell is that
// of the pickup, 0 for none.
func (c *City) TripChanged(owner any, before, after *ride.Trip, cell geo.Cell) {
	c.charts.transition(before, after)
	c.Trips.Show(owner, after, cell)
	c.Trips.note(before, after, cell)
}
