package actors

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each bound holds in the default configuration, and the error for a value beyond it names the
// setting.
func TestConfigBounds(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	broken := map[string][]func(*Config){
		"window":               {func(c *Config) { c.Matching.Window = 0 }},
		"zones":                {func(c *Config) { c.ZoneResolution = -1 }, func(c *Config) { c.ZoneResolution = c.Resolution + 1 }},
		"dispatch policy":      {func(c *Config) { c.Matching.Near = 0 }},
		"H3 resolution":        {func(c *Config) { c.Resolution = 4 }, func(c *Config) { c.Resolution = 11 }},
		"time to live":         {func(c *Config) { c.PositionTTL = time.Second - 1 }, func(c *Config) { c.PositionTTL = 5*time.Minute + 1 }},
		"speed":                {func(c *Config) { c.MaxSpeedMPS = 0 }, func(c *Config) { c.MaxSpeedMPS = math.NaN() }},
		"speed of an estimate": {func(c *Config) { c.FastestMPS = -1 }, func(c *Config) { c.FastestMPS = math.NaN() }},
		"longest trip":         {func(c *Config) { c.MaxTripM = 999 }, func(c *Config) { c.MaxTripM = math.NaN() }, func(c *Config) { c.MaxTripM = 5_000_001 }},
		"offers per driver":    {func(c *Config) { c.MaxOffers = 0 }, func(c *Config) { c.MaxOffers = 65 }},
		"history in bytes":     {func(c *Config) { c.HistoryBytes = 511 }, func(c *Config) { c.HistoryBytes = MaxHistory + 1 }},
		"sessions":             {func(c *Config) { c.OperatorSessions = 0 }, func(c *Config) { c.OperatorSessions = 101 }},
		"outlives its session": {func(c *Config) { c.Linger = -1 }},
		"age":                  {func(c *Config) { c.HistoryAge = c.Linger - 1 }},
		"free cancellations":   {func(c *Config) { c.CancelsFree = 0 }},
		"forgotten":            {func(c *Config) { c.CancelsForget = 0 }},
		"asked for news":       {func(c *Config) { c.AttachEvery = 0 }},
		"final trip":           {func(c *Config) { c.TripIdle = 0 }},
		"store":                {func(c *Config) { c.StoreTimeout = 0 }},
		"search":               {func(c *Config) { c.SearchTimeout = 0 }},
		"estimate":             {func(c *Config) { c.EstimateTimeout = 0 }},
		"matching a ride":      {func(c *Config) { c.MatchTimeout = 0 }},
		"estimates":            {func(c *Config) { c.EstimatesAtOnce = 0 }},
		"sweeper's interval":   {func(c *Config) { c.SweepEvery = 0 }},
		"grace":                {func(c *Config) { c.SweepGrace = -1 }},
		"breadcrumbs":          {func(c *Config) { c.BreadcrumbEvery = 0 }},
		"node is missing":      {func(c *Config) { c.MissingAfter = 0 }},
		"ETA source":           {func(c *Config) { c.ETA = nil }},
		"logger":               {func(c *Config) { c.Log = nil }},
		"incarnation":          {func(c *Config) { c.Cluster = &Cluster{Self: Member{"a:1", "x"}} }, func(c *Config) { c.Cluster = &Cluster{Self: Member{"a:1", "x/y"}, Link: netEnd{}} }},
		"placement":            {func(c *Config) { c.Cluster, c.Placement = &Cluster{Self: Member{"a:1", "x"}, Link: netEnd{}}, Local }},
		"policy":               {func(c *Config) { c.Rules.Policy.Cap = 0 }},
		"tariff":               {func(c *Config) { c.Tariffs = nil }},
	}
	for what, changes := range broken {
		for _, change := range changes {
			c := DefaultConfig()
			change(&c)
			require.ErrorContains(t, c.Validate(), what)
		}
	}
	require.Len(t, broken, len(DefaultConfig().bounds())+3, "each bound is broken here; rules, matching and tariffs have their own tests")
}
