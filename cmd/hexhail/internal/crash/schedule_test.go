package crash

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/sim/check"
)

// A seed draws the same schedule each time; every kind of fault is in it, the text of it can be read
// again, and no fault needs what is not there.
func TestSchedules(t *testing.T) {
	all := environment{nodes: 3, lease: 3 * time.Second, etcd: true, pg: true, network: true}
	const full = 20
	for seed := range uint64(50) {
		s := newSchedule(seed, full, all)
		require.Equal(t, s, newSchedule(seed, full, all))
		require.Equal(t, s[:7], newSchedule(seed, 7, all), "a shorter run begins with the same faults")
		require.NotEqual(t, s, newSchedule(seed+1, full, all))
		again, err := parseSchedule(s.String(), 3)
		require.NoError(t, err)
		require.Equal(t, s, again)
		for _, k := range faultKinds {
			require.True(t, slices.ContainsFunc(s, func(f fault) bool { return f.kind == k.kind }), "%s is missing", k.kind)
		}
		for i, f := range s {
			require.Equal(t, i%3 == 0, f.kind == killNode)
			require.Less(t, f.node, 3)
			if f.kind == freezeNode {
				require.Greater(t, f.lasts, all.lease, "it must lose its place")
			}
			if f.form().ends {
				require.Greater(t, f.lasts, endsAfter(f.kind, all.lease)+cutMargin, "it must end itself")
			}
		}
		require.Greater(t, s[0].lasts, 2*all.lease, "its trips must move")
		require.GreaterOrEqual(t, s.longest(), s[0].lasts)
		for _, f := range newSchedule(seed, full, environment{nodes: 2, lease: 3 * time.Second, network: true}) {
			require.False(t, f.form().etcd || f.form().pg || f.form().least > 2, "%s", f)
			require.Less(t, f.node, 2)
		}
		for _, f := range newSchedule(seed, full, environment{nodes: 3, lease: 3 * time.Second, etcd: true, pg: true}) {
			require.False(t, f.form().network, "%s", f)
		}
	}
}

// A long run has more kills, freezes of a minute, and cuts too short to end a node.
func TestSchedulesOfLongRuns(t *testing.T) {
	in := environment{nodes: 3, lease: 3 * time.Second, etcd: true, pg: true, network: true, long: true}
	s := newSchedule(1, 400, in)
	count := make(map[faultKind]int)
	var short, minute int
	for _, f := range s {
		count[f.kind]++
		if f.form().ends && f.lasts <= in.lease {
			short++
		}
		if f.kind == freezeNode && f.lasts == time.Minute {
			minute++
		}
	}
	require.Equal(t, 200, count[killNode])
	require.Positive(t, short)
	require.Positive(t, minute)
}

func TestSchedulesThatCannotBeRead(t *testing.T) {
	for text, why := range map[string]string{
		"":                     "a fault is missing",
		"kill n1 1s,":          "a fault is missing",
		"explode n1":           "no such fault",
		"kill":                 "must name a node",
		"kill n4 1s":           "n4 is not one of 3 nodes",
		"kill n1":              "must have a duration",
		"kill n1 -1s":          "its duration must be",
		"freeze n1 24h":        "its duration must be",
		"rolling-restart n1":   `"n1" is too much`,
		"kill-all 1s again":    `"again" is too much`,
		"kill n1 1s; kill n2 ": "its duration must be",
	} {
		_, err := parseSchedule(text, 3)
		require.ErrorContains(t, err, why, text)
	}
}

// Only a server that this command has started is broken.
func TestFaultsNeedServersOfOurs(t *testing.T) {
	o := Options{Nodes: 3, Schedule: "kill n1 1s, restart-etcd 1s"}
	in := environment{nodes: 3, lease: time.Second, pg: true, network: true}
	_, err := o.faults(in)
	require.ErrorContains(t, err, "restart-etcd 1s needs a server that this command has started")
	in.etcd = true
	s, err := o.faults(in)
	require.NoError(t, err)
	require.Equal(t, o.Schedule, s.String())
	o.Schedule = "cut n2 5s"
	_, err = o.faults(in)
	require.NoError(t, err)
	in.network = false
	_, err = o.faults(in)
	require.ErrorContains(t, err, "cut n2 5s needs Linux")
	in.network, in.nodes, o.Nodes = true, 2, 2
	_, err = o.faults(in)
	require.ErrorContains(t, err, "cut n2 5s needs 3 nodes")
}

func TestOptionsOfAClusterAreChecked(t *testing.T) {
	good := Options{Rounds: 1, Drivers: 2, Speed: 1, Nodes: 3, Lease: 3 * time.Second}
	require.NoError(t, good.check())
	for name, change := range map[string]func(*Options){
		"nodes":                func(o *Options) { o.Nodes = 10 },
		"lease":                func(o *Options) { o.Lease = time.Second },
		"fraction":             func(o *Options) { o.Lease = 3500 * time.Millisecond },
		"one node":             func(o *Options) { o.Nodes, o.Schedule = 1, "kill n1 1s" },
		"no etcd":              func(o *Options) { o.Nodes, o.Etcd = 1, "127.0.0.1:2379" },
		"no rounds":            func(o *Options) { o.Rounds = 0 },
		"duration":             func(o *Options) { o.Duration = -time.Second },
		"two ways":             func(o *Options) { o.Duration, o.Schedule = time.Minute, "kill n1 1s" },
		"duration of one node": func(o *Options) { o.Nodes, o.Duration = 1, time.Minute },
		"network":              func(o *Options) { o.Network = "tubes" },
		"network of one node":  func(o *Options) { o.Nodes, o.Network = 1, overNamespaces },
		"etcd elsewhere":       func(o *Options) { o.Etcd, o.Network = "127.0.0.1:2379", overNamespaces },
		"Postgres elsewhere":   func(o *Options) { o.DatabaseURL, o.Network = "postgres://db/x", overNamespaces },
	} {
		o := good
		change(&o)
		require.Error(t, o.check(), name)
	}
}

// What ends a node waits for an acceptance that concerns that node, but for one in eight.
func TestWhatFaultsWaitFor(t *testing.T) {
	c, _, trips := scene(t)
	c.o.RoundMax = time.Second
	for range 16 {
		c.schedule = append(c.schedule, fault{kind: killNode}, fault{kind: restartEtcd})
	}
	var accepts, blind int
	for n, f := range c.schedule {
		switch a := c.aim(n); {
		case f.kind != killNode:
			require.Equal(t, aims[n%len(aims)], a)
		case a.blind:
			blind++
		default:
			require.Equal(t, aim{op: "accept", most: 3 * time.Second}, a)
			accepts++
		}
	}
	require.Equal(t, []int{14, 2}, []int{accepts, blind})

	of := c.concerns(fault{kind: killNode, node: 1})
	require.True(t, of(asked{node: 1}))
	require.True(t, of(asked{node: 2, call: check.Record{Trip: trips[1]}}))
	require.False(t, of(asked{node: 2, call: check.Record{Trip: trips[0]}}))
	require.False(t, of(asked{node: 0}))
	require.True(t, c.concerns(fault{kind: killAll})(asked{node: 2}))
}
