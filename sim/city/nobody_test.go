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
	"github.com/hexhail/hexhail/ride/ridepb"
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

func TestRefusedCityEndsAtOnce(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	c, err := New(example("ws"+strings.TrimPrefix(s.URL, "http"), ""))
	require.NoError(t, err)
	begun := time.Now()
	err = c.Run(t.Context())
	require.ErrorIs(t, err, ErrNobody)
	require.ErrorContains(t, err, "there is no socket at ws://")
	require.Less(t, time.Since(begun), warmUp, "refused for good: no reason to wait longer")
	require.EqualValues(t, 2, c.Report().Errors["closed_404"])
}

// Drivers who begin later must not hide that the servers want none of them.
func TestCityRefusedLaterEndsAtOnce(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	cfg := example("ws"+strings.TrimPrefix(s.URL, "http"), "")
	for i := range cfg.Taxis {
		cfg.Taxis[i].From = time.Hour
	}
	c, err := New(cfg)
	require.NoError(t, err)
	require.ErrorIs(t, c.Run(t.Context()), ErrNobody)
	require.EqualValues(t, 1, c.Report().Errors["closed_404"], "the first driver has tried")
}

// Latencies count from when something was due, not from when a busy simulator did it.
func TestLatenciesCountFromWhenThingsWereDue(t *testing.T) {
	c, err := New(example("ws://127.0.0.1:1", ""))
	require.NoError(t, err)
	c.clock.begin(time.Now().Add(-time.Minute))
	late := time.Now().Add(-700 * time.Millisecond)
	c.book.acknowledged("t", late, RiderPlan{}) // the reply came 700 ms after the request was due
	c.book.sawOffer("t")
	c.book.accepting("t", "d", late)
	c.book.news(&ridepb.Trip{Id: "t", Version: 2, Status: ridepb.Trip_matched})
	c.book.notified(&ridepb.Trip{Id: "t", Driver: &ridepb.DriverCard{Id: "d"}})
	r := c.Report()
	for what, ms := range map[string]float64{
		"offer": r.TimeToOfferMs.P50, "match": r.TimeToMatchMs.P50, "notice": r.AcceptToNotified.P50,
	} {
		require.GreaterOrEqual(t, ms, 690.0, what)
	}
	// A device stamps its position with the moment at which it was due, so that the
	// rider's news of it tells how late it was sent, too.
	require.Equal(t, late.UnixNano(), location(geo.Place{Point: c.cfg.Taxis[0].At}, 0, late).GetDeviceTime().AsTime().UnixNano())
}

// Accounts have different names in each run; intentions must not depend on them.
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
