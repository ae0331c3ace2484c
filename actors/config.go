package actors

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Config says how the actors behave. Durations are wall-clock; distances metres.
type Config struct {
	// Rules apply to trips requested from now on; their Tariff is replaced by the one
	// of the trip's class.
	Rules   ride.Rules
	Tariffs ride.Tariffs
	// PIN asks riders for 4 digits before a ride starts.
	PIN bool
	// Resolution of the H3 cells that route offers, 0 to 15.
	Resolution int
	// PositionTTL is how old a driver's last position may be for it to get offers.
	PositionTTL time.Duration
	// MaxSpeedMPS is the speed between two positions, in metres per second, above which
	// the second is held back; see geo.PositionFilter.
	MaxSpeedMPS float64
	// MaxTripM bounds the estimated length of a trip.
	MaxTripM float64
	// MaxOffers bounds the offers that one driver holds open at once.
	MaxOffers int
	// HistoryBytes bounds what a person's actor keeps for a resume, counted as protobuf with
	// a fee for each event; 512 to MaxHistory, and so little that all of it in JSON fits the
	// outbox of a session. HistoryAge is how long an event is kept at most: Linger and the
	// time that it takes to notice a lost socket.
	HistoryBytes int
	HistoryAge   time.Duration
	// OperatorSessions bounds the sessions that one operator has at once. Riders and drivers
	// have one.
	OperatorSessions int
	// CancelsFree is how many trips a rider may cancel after drivers were asked, or a driver
	// give back, before the next has to wait; each is forgotten after CancelsForget.
	CancelsFree   int
	CancelsForget time.Duration
	// Linger is how long a person's actor outlives its last session.
	Linger time.Duration
	// TripIdle is how long a final trip's actor stays for ratings and repetitions.
	TripIdle time.Duration
	// StoreTimeout bounds every call of the store.
	StoreTimeout time.Duration
	// SearchTimeout bounds how long a search waits for cells.
	SearchTimeout time.Duration
	// SweepEvery is the interval of the sweeper, SweepGrace how late a trip must be.
	SweepEvery, SweepGrace time.Duration
	// BreadcrumbEvery is how often recorded positions are written.
	BreadcrumbEvery time.Duration
	// Heartbeat is told to clients in connected.
	Heartbeat time.Duration
	// Placement makes the seam to other nodes, once for each System; nil: Local.
	Placement func(Node) Placement
	// ETA estimates drives.
	ETA geo.ETASource
	// Commits tells of the store's transactions since it was asked last: how many, how
	// long all and the longest took. It is for the charts; nil: nobody knows.
	Commits func() (n int64, all, longest time.Duration)
	// Log receives what operators should know.
	Log *slog.Logger
}

// DefaultConfig is a working configuration.
func DefaultConfig() Config {
	return Config{
		Rules: ride.DefaultRules(), Tariffs: ride.DefaultTariffs(),
		Resolution: 8, PositionTTL: 15 * time.Second, MaxSpeedMPS: geo.MaxSpeedMPS, MaxTripM: 300_000, MaxOffers: 8,
		HistoryBytes: MaxHistory, HistoryAge: 3 * time.Minute, OperatorSessions: 8, CancelsFree: 5, CancelsForget: 2 * time.Minute, Linger: 2 * time.Minute, TripIdle: time.Minute,
		StoreTimeout: 8 * time.Second, SearchTimeout: 500 * time.Millisecond,
		SweepEvery: 5 * time.Second, SweepGrace: 5 * time.Second,
		BreadcrumbEvery: time.Second, Heartbeat: 5 * time.Second,
		ETA: geo.StraightLine{}, Log: slog.Default(),
	}
}

// Validate checks what an operator may have set.
func (c Config) Validate() error {
	if err := c.Rules.Validate(); err != nil {
		return err
	}
	if err := c.Tariffs.Validate(); err != nil {
		return err
	}
	switch {
	case c.Resolution < 5 || c.Resolution > 10:
		return fmt.Errorf("actors: the H3 resolution must be from 5 to 10, not %d", c.Resolution)
	case c.PositionTTL < time.Second || c.PositionTTL > 5*time.Minute:
		return fmt.Errorf("actors: a position's time to live must be from 1s to 5m, not %s", c.PositionTTL)
	case !(c.MaxSpeedMPS > 0):
		return fmt.Errorf("actors: the greatest plausible speed must be above 0")
	case !(c.MaxTripM >= 1000 && c.MaxTripM <= 5_000_000):
		return fmt.Errorf("actors: the longest trip must be from 1 km to 5,000 km")
	case c.MaxOffers < 1 || c.MaxOffers > 64:
		return fmt.Errorf("actors: the offers per driver must be from 1 to 64")
	case c.HistoryBytes < 512 || c.HistoryBytes > MaxHistory:
		return fmt.Errorf("actors: the history must hold from 512 to %d bytes, not %d", MaxHistory, c.HistoryBytes)
	case c.OperatorSessions < 1 || c.OperatorSessions > 100:
		return fmt.Errorf("actors: the sessions of an operator must be from 1 to 100, not %d", c.OperatorSessions)
	case c.HistoryAge < c.Linger:
		return fmt.Errorf("actors: the history must last as long as a session can be resumed (%s), not %s", c.Linger, c.HistoryAge)
	case c.CancelsFree < 1 || c.CancelsForget <= 0:
		return fmt.Errorf("actors: at least one cancellation must be free, and be forgotten")
	case c.Linger < 0 || c.TripIdle <= 0 || c.StoreTimeout <= 0 || c.SearchTimeout <= 0 ||
		c.SweepEvery <= 0 || c.SweepGrace < 0 || c.BreadcrumbEvery <= 0:
		return fmt.Errorf("actors: time limits must be positive")
	case c.ETA == nil || c.Log == nil:
		return fmt.Errorf("actors: an ETA source and a logger are needed")
	}
	return nil
}
