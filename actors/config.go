package actors

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// Config configures the actors. Durations are wall-clock time, distances metres.
type Config struct {
	// Rules apply to new trips; their Tariff is replaced by that of the trip's class. Rings from which no
	// driver could arrive within their MaxETA are left out; see FastestMPS.
	Rules   ride.Rules
	Tariffs ride.Tariffs
	// PIN requires the rider's 4 digits before a ride starts.
	PIN bool
	// Matching is how a zone plans for its trips under ride.PolicyBatch; what its Trip says is not used.
	Matching dispatch.Policy
	// ZoneResolution is that of the H3 cells that are zones, at most Resolution.
	ZoneResolution int
	// Resolution is that of the H3 cells in which dispatch searches, 0 to 15.
	Resolution int
	// PositionTTL is the greatest age of a driver's last position at which the driver still gets
	// offers.
	PositionTTL time.Duration
	// MaxSpeedMPS is the speed between two positions, in metres per second, above which
	// the second is held back; see geo.PositionFilter.
	MaxSpeedMPS float64
	// FastestMPS is a speed, in metres per second along the straight line, that no estimated way exceeds; 0: none
	// is known.
	FastestMPS float64
	// MaxTripM bounds the estimated length of a trip.
	MaxTripM float64
	// MaxOffers bounds the open offers of one driver.
	MaxOffers int
	// HistoryBytes bounds what a person's actor keeps for a resume, counted as protobuf with
	// a fee for each event; 512 to MaxHistory, and so little that all of it in JSON fits the
	// outbox of a session. HistoryAge is how long an event is kept at most: Linger and the
	// time that it takes to notice a lost socket.
	HistoryBytes int
	HistoryAge   time.Duration
	// OperatorSessions bounds the concurrent sessions of one operator. Riders and drivers have one.
	OperatorSessions int
	// CancelsFree is how many trips a rider may cancel after drivers were asked, or a driver may
	// give back, before the next one has to wait. Each is forgotten after CancelsForget.
	CancelsFree   int
	CancelsForget time.Duration
	// Linger is how long a person's actor outlives its last session.
	Linger time.Duration
	// AttachEvery is how often a person with an active trip asks it for news: the longest delay
	// that a lost message costs.
	AttachEvery time.Duration
	// TripIdle is how long a final trip's actor stays for ratings and repetitions.
	TripIdle time.Duration
	// StoreTimeout bounds every call of the store.
	StoreTimeout time.Duration
	// SearchTimeout bounds how long a search waits for cells.
	SearchTimeout time.Duration
	// EstimateTimeout bounds how long an actor waits for drives to be estimated, until it takes straight
	// lines. A request waits for two of them and a search, and its client for all.
	EstimateTimeout time.Duration
	// SweepEvery is the interval of the sweeper; SweepGrace is how overdue a trip must be for it.
	SweepEvery, SweepGrace time.Duration
	// BreadcrumbEvery is how often recorded positions are written.
	BreadcrumbEvery time.Duration
	// Heartbeat is the interval that connected announces to clients.
	Heartbeat time.Duration
	// MissingAfter is how long another node may take to answer an operator before it is shown as missing.
	MissingAfter time.Duration
	// Placement makes the System's Placement and is called once; nil means Local, or with a Cluster
	// that of its nodes.
	Placement func(Node) Placement
	// Cluster makes the System one of several; nil: it is alone.
	Cluster *Cluster
	// ETA estimates driving times and distances. One that is a geo.Fan, a geo.Planner or a
	// geo.Snapper is used as such. It may block: only workers call it, unless it is a geo.StraightLine.
	ETA geo.ETASource
	// EstimatesAtOnce is how many calls of the ETA source run at once; others wait in turn. One that
	// calculates gains nothing from more than there are processors, one that waits for a network does.
	EstimatesAtOnce int
	// Matcher matches rides to streets when they end; nil: there are none. Only workers call it.
	Matcher geo.Matcher
	// MatchTimeout bounds how long the end of a ride waits for that.
	MatchTimeout time.Duration
	// Ended is called by a trip's actor once the trip's end is on disk, at most once for each trip; nil: nobody
	// asks. It must neither block nor keep the trip.
	Ended func(*ride.Trip)
	// BesideDriving is the time that a ride along streets takes beside driving; nil: none. It must not block.
	BesideDriving func() time.Duration
	// Detour is how much farther than planned drivers drive along streets; nil: 1. It must not block.
	Detour func() float64
	// Commits returns the store's transactions since the previous call, for the charts: their
	// number, total time and longest time. Nil means unknown.
	Commits func() (n int64, all, longest time.Duration)
	// Log receives what operators need to know.
	Log *slog.Logger
}

// DefaultConfig returns a complete, valid configuration.
func DefaultConfig() Config {
	return Config{
		Rules: ride.DefaultRules(), Tariffs: ride.DefaultTariffs(), Matching: dispatch.Batch(), ZoneResolution: 5,
		Resolution: 8, PositionTTL: 15 * time.Second, MaxSpeedMPS: geo.MaxSpeedMPS, MaxTripM: 300_000, MaxOffers: 8,
		HistoryBytes: MaxHistory, HistoryAge: 170 * time.Second, OperatorSessions: 8, CancelsFree: 5, CancelsForget: 2 * time.Minute, Linger: 2 * time.Minute,
		AttachEvery: 15 * time.Second, TripIdle: time.Minute,
		StoreTimeout: 8 * time.Second, SearchTimeout: 500 * time.Millisecond, EstimateTimeout: 2 * time.Second, MatchTimeout: 500 * time.Millisecond,
		SweepEvery: 5 * time.Second, SweepGrace: 5 * time.Second,
		BreadcrumbEvery: time.Second, Heartbeat: 5 * time.Second, MissingAfter: time.Second,
		ETA: geo.StraightLine{}, EstimatesAtOnce: runtime.GOMAXPROCS(0), Log: slog.Default(),
	}
}

// incarnation names this process in its actors' names.
func (c Config) incarnation() string {
	if c.Cluster != nil {
		return c.Cluster.Self.Incarnation
	}
	return NewIncarnation()
}

// NewIncarnation makes a random name for a process.
func NewIncarnation() string { return strings.ToLower(rand.Text()[:8]) }

// Validate reports the values that are out of bounds.
func (c Config) Validate() error {
	if err := c.Rules.Validate(); err != nil {
		return err
	}
	if err := c.Tariffs.Validate(); err != nil {
		return err
	}
	if err := c.Matching.Validate(); err != nil {
		return err
	}
	for _, b := range c.bounds() {
		if !b.holds {
			return fmt.Errorf("actors: %s", b.rule)
		}
	}
	return nil
}

// bounds returns the rules for single values, in the order in which they are reported.
func (c Config) bounds() []bound {
	return []bound{
		within("the H3 resolution", c.Resolution, 5, 10),
		{c.Matching.Zoned(), "a zone needs a window in which it plans"},
		within("the H3 resolution of zones", c.ZoneResolution, 0, c.Resolution),
		within("a position's time to live", c.PositionTTL, time.Second, 5*time.Minute),
		above("the greatest plausible speed", c.MaxSpeedMPS, 0),
		atLeast("the greatest speed of an estimate", c.FastestMPS, 0),
		within("the length of the longest trip in metres", c.MaxTripM, 1000, 5_000_000),
		within("the number of offers per driver", c.MaxOffers, 1, 64),
		within("the size of a person's history in bytes", c.HistoryBytes, 512, MaxHistory),
		within("the number of sessions of an operator", c.OperatorSessions, 1, 100),
		atLeast("the time that an actor outlives its session", c.Linger, 0),
		// A client must find its missed events for as long as it can resume.
		atLeast("the age of a person's history", c.HistoryAge, c.Linger),
		atLeast("the number of free cancellations", c.CancelsFree, 1),
		above("the time until a cancellation is forgotten", c.CancelsForget, 0),
		above("the interval at which a trip is asked for news", c.AttachEvery, 0),
		above("the time that a final trip's actor stays", c.TripIdle, 0),
		above("the store's time limit", c.StoreTimeout, 0),
		above("a search's time limit", c.SearchTimeout, 0),
		above("an estimate's time limit", c.EstimateTimeout, 0),
		above("the time limit for matching a ride to streets", c.MatchTimeout, 0),
		above("the sweeper's interval", c.SweepEvery, 0),
		atLeast("the sweeper's grace", c.SweepGrace, 0),
		above("the interval of breadcrumbs", c.BreadcrumbEvery, 0),
		above("the time after which a node is missing", c.MissingAfter, 0),
		{c.ETA != nil, "an ETA source is missing"},
		within("the number of estimates at once", c.EstimatesAtOnce, 1, 4096),
		{c.Log != nil, "a logger is missing"},
		{c.Cluster == nil || c.Cluster.valid(), "a node of a cluster needs an address, an incarnation and a link"},
		{c.Cluster == nil || c.Placement == nil, "a node of a cluster has its own placement"},
	}
}

// bound is a rule for one value and whether it holds.
type bound struct {
	holds bool
	rule  string
}

// NaN is out of bounds: each comparison is written so that it fails for NaN.

func within[T cmp.Ordered](what string, is, low, high T) bound {
	return bound{is >= low && is <= high, fmt.Sprintf("%s must be from %v to %v, not %v", what, low, high, is)}
}

func atLeast[T cmp.Ordered](what string, is, low T) bound {
	return bound{is >= low, fmt.Sprintf("%s must be at least %v, not %v", what, low, is)}
}

func above[T cmp.Ordered](what string, is, low T) bound {
	return bound{is > low, fmt.Sprintf("%s must be above %v, not %v", what, low, is)}
}
