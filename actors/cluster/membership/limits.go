package membership

import (
	"fmt"
	"time"
)

// Limits are the times by which a Judge judges. They must be equal on all members. On machines that
// are often late, widen all of them with Scale.
type Limits struct {
	// Tick is the interval at which the owner calls Tick.
	Tick time.Duration
	// Lease is how long the registry keeps a key without a renewal; KeepAlive is the interval of renewals.
	Lease, KeepAlive time.Duration
	// List is the interval of listings, Ping that of pings.
	List, Ping time.Duration
	// Late is how old the last answer of a late member is: others no longer wait for it.
	Late time.Duration
	// Silent is how old the last answer of a silent member is: without a key it is dropped. It is
	// also the greatest age of a fresh listing and of another member's word.
	Silent time.Duration
	// Alone is how long a process that does not reach enough of the listed members stays.
	Alone time.Duration
	// Differ is how long another member's table may differ before it is a warning.
	Differ time.Duration
	// Database is how long a process stays that does not reach the database while others do.
	Database time.Duration
	// Excluded is how many dropped members are remembered.
	Excluded int
}

// DefaultLimits returns limits for machines that answer within a few hundred milliseconds.
func DefaultLimits() Limits {
	return Limits{
		Tick:  100 * time.Millisecond,
		Lease: 3 * time.Second, KeepAlive: time.Second,
		List: 500 * time.Millisecond, Ping: 500 * time.Millisecond,
		Late: 1200 * time.Millisecond, Silent: 2 * time.Second, Alone: 6 * time.Second,
		Differ: 5 * time.Second, Database: 5 * time.Second,
		Excluded: 256,
	}
}

// Scale multiplies all durations by n.
func (l Limits) Scale(n int) Limits {
	for _, d := range []*time.Duration{
		&l.Tick, &l.Lease, &l.KeepAlive, &l.List, &l.Ping, &l.Late, &l.Silent, &l.Alone, &l.Differ, &l.Database,
	} {
		*d *= time.Duration(n)
	}
	return l
}

// Lag is how long a healthy process may stand still, again and again, without ever being ended:
// half of what lies between the renewals of a lease and its end, and between pings and silence,
// because the one that it asks may lag as well.
func (l Limits) Lag() time.Duration {
	return min(l.Lease-l.KeepAlive, l.Silent-l.Ping)/2 - l.Tick
}

// Apart is the longest time for which two running processes may have dropped each other: one of them
// notices within Alone that it does not reach the others, or within Lease that the registry has
// forgotten it.
func (l Limits) Apart() time.Duration { return l.Alone + l.Lease + l.Silent }

// away is the time between the arrivals of two listings after which the registry may have let leases run out that it
// could not renew, with room for a renewal that came late.
func (l Limits) away() time.Duration { return (l.Lease - l.KeepAlive) / 2 }

// Validate reports the limits that contradict each other.
func (l Limits) Validate() error {
	for _, b := range []struct {
		holds bool
		rule  string
	}{
		{l.Tick > 0, "the interval of ticks must be above 0"},
		{l.KeepAlive > 0 && l.Lease >= 2*l.KeepAlive, "a lease must last at least two renewals"},
		{l.Lease%time.Second == 0, "a lease must be whole seconds"},
		{l.List > 0 && l.Silent >= 2*l.List, "a fresh listing must outlast two intervals of listings"},
		{l.List < l.away(), "listings must come more often than half of the time between a renewal and the end of a lease"},
		{l.Ping > 0 && l.Late > 2*l.Ping, "a late member must have missed two pings"},
		{l.Silent > l.Late, "a silent member must be late before"},
		{l.Alone > l.Silent, "a process must stay alone for longer than others are silent"},
		{l.Differ > l.List+l.Ping, "tables must be allowed to differ until the next listing and ping"},
		{l.Database > 0, "the time without a database must be above 0"},
		{l.Excluded > 0, "at least one dropped member must be remembered"},
		{l.Lag() > 0, "the intervals leave no room for lags"},
	} {
		if !b.holds {
			return fmt.Errorf("membership: %s", b.rule)
		}
	}
	return nil
}
