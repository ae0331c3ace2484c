package city

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/demand"
)

func example(url, prefix string) Config {
	p := geo.Point{Lat: 40.75, Lng: -73.99}
	return Config{
		URLs: []string{url}, Codecs: []wire.Codec{wire.Binary}, Prefix: prefix,
		Token:    func(string, string) (string, error) { return "token", nil },
		Requests: demand.NewList(nil), Taxis: []demand.Taxi{{ID: "1", At: p}, {ID: "2", At: p}},
		Router: Straight{SpeedMPS: 5, Detour: 1.4}, Seed: 3, Behaviour: DefaultBehaviour(), Speed: 10,
		TripInterval: time.Second, IdleInterval: time.Second, Log: slog.New(slog.DiscardHandler),
	}
}

func TestACityThatNobodyLetsInEndsAtOnce(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c, err := New(example("ws"+strings.TrimPrefix(s.URL, "http"), ""))
	require.NoError(t, err)
	begun := time.Now()
	require.ErrorIs(t, c.Run(t.Context()), ErrNobody)
	require.Less(t, time.Since(begun), warmUp/2, "refused for good: no reason to wait longer")
	require.EqualValues(t, 2, c.Report().Errors["closed_404"])
}

// Accounts have other names in each run; what they intend must not depend on that.
func TestIntentionsOutliveTheNamesOfAccounts(t *testing.T) {
	one, err := New(example("ws://127.0.0.1:1", "x-"))
	require.NoError(t, err)
	two, err := New(example("ws://127.0.0.1:1", "y-"))
	require.NoError(t, err)
	require.NotEqual(t, one.drivers[0].name, two.drivers[0].name)
	for i, d := range one.drivers {
		e := two.drivers[i]
		require.Equal(t, one.will.Offer(d.key, 0), two.will.Offer(e.key, 0))
		require.Equal(t, one.spread(d.key), two.spread(e.key))
	}
}

func TestIncompleteCitiesAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"no server": func(c *Config) { c.URLs = nil }, "no drivers": func(c *Config) { c.Taxis = nil },
		"no time": func(c *Config) { c.Speed = 0 }, "a flood": func(c *Config) { c.IdleInterval = 0 },
		"bad odds": func(c *Config) { c.Behaviour.Accept = 2 },
	} {
		cfg := example("ws://127.0.0.1:1", "")
		spoil(&cfg)
		_, err := New(cfg)
		require.Error(t, err, name)
	}
}
