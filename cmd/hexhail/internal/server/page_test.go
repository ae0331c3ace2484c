package server

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/view"
)

// docs/protocol.md describes a server with the default configuration.
func TestProtocolPageStatesTheDefaults(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/protocol.md")
	require.NoError(t, err)
	page := strings.Join(strings.Fields(string(text)), " ") // ignore line breaks

	c := defaults(t)
	s := sessionConfig(c, true, clientsOf(nil, slog.Default()), slog.Default(), nil, newMetrics()) // with plenty of files
	a := actorsConfig(c, slog.Default())
	whole := func(d time.Duration) string {
		if d >= time.Minute {
			return fmt.Sprintf("%d minutes", int(d.Minutes()))
		}
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	for _, sentence := range []string{
		fmt.Sprintf("| a message of the client | %d KiB |", s.Socket.MaxMessage>>10),
		fmt.Sprintf("| the first message | %s |", whole(s.ConnectTimeout)),
		fmt.Sprintf("| messages but locations | %d per second, %d at once |", s.CommandRate, s.CommandBurst),
		fmt.Sprintf("| locations | %d per second, ", s.LocationRate),
		fmt.Sprintf("| silence of the client | %s |", whole(s.Socket.SilenceTimeout)),
		fmt.Sprintf("for %d seconds is closed with 4002", int(s.Socket.SilenceTimeout.Seconds())),
		fmt.Sprintf("| bytes waiting for a client that does not read | %d KiB |", s.Socket.MaxQueue>>10),
		fmt.Sprintf("| one write to a client that does not read | %s |", whole(s.Socket.WriteTimeout)),
		fmt.Sprintf("| sockets of one address (IPv6: of one /64) | %d |", s.MaxPerAddress),
		fmt.Sprintf("| sockets of one server | %d |", s.MaxSockets),
		fmt.Sprintf("`heartbeat_ms` (default %s, ±20 %%)", whole(a.Heartbeat)),
		fmt.Sprintf("`position_ttl_ms` (default %s)", whole(a.PositionTTL)),
		fmt.Sprintf("the newest %d KiB of an account's events", a.HistoryBytes>>10),
		fmt.Sprintf("for several screens: %d by default", a.OperatorSessions),
		fmt.Sprintf("until %s after its last session", whole(a.Linger)),
		fmt.Sprintf("a driver stays online for %s (default)", whole(a.Linger)),
		fmt.Sprintf("until `expires_at` (default %s)", whole(a.Rules.Policy.OfferTTL)),
		fmt.Sprintf("as many offers as it may (default %d)", a.MaxOffers),
	} {
		if !strings.Contains(page, sentence) {
			t.Errorf("the page does not say %q", sentence) // not the whole page
		}
	}
}

// defaults is the configuration of a server without flags, environment and file.
func defaults(t *testing.T) *config.Config {
	t.Helper()
	source := config.NewSource(func(string) (string, bool) { return "", false })
	var grammar struct {
		config.Config `embed:""`
	}
	k, err := kong.New(&grammar, source.Options()...)
	require.NoError(t, err)
	_, err = k.Parse(nil)
	require.NoError(t, err)
	require.NoError(t, source.Complete(&grammar.Config))
	return &grammar.Config
}

// The pages' examples, the quote of the first session and the transcript, show the answers of a
// server with the default settings.
func TestPageQuotesAsAServerDoes(t *testing.T) {
	c := defaults(t)
	eta := actorsConfig(c, slog.New(slog.DiscardHandler)).ETA
	var page string
	for _, name := range []string{"protocol.md", "protocol-transcript.md"} {
		text, err := os.ReadFile("../../../../docs/" + name)
		require.NoError(t, err)
		page += string(text)
	}
	from, to := geo.Point{Lat: 37.4979, Lng: 127.0276}, geo.Point{Lat: 37.5172, Lng: 127.0473}
	require.Contains(t, page, `"get_quote": {"pickup": {"lat": 37.4979, "lng": 127.0276}, "dropoff": {"lat": 37.5172, "lng": 127.0473}}}`)
	way := func(from, to geo.Point) geo.Route {
		r, err := eta.Route(t.Context(), from, to)
		require.NoError(t, err)
		return r
	}
	route := way(from, to)
	fare, err := c.Tariffs[0].Price(route.DistanceM, route.Duration)
	require.NoError(t, err)
	want := view.Quote(c.Tariffs[0].Class, ride.Estimate{DistanceM: route.DistanceM, Duration: route.Duration, Fare: fare})

	found := regexp.MustCompile(`distance_m": ?(\d+), ?"(?:trip_)?duration_s": ?(\d+),\s*"fare": ?\{"minor": ?(\d+)`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(found), 10)
	expected := []string{fmt.Sprint(want.GetDistanceM()), fmt.Sprint(want.GetDurationS()), fmt.Sprint(want.GetFare().GetMinor())}
	for _, m := range found {
		require.Equal(t, expected, m[1:], m[0])
	}
	// Bo's route to the pickup, and Ada's view of Bo on the way.
	seconds := func(r geo.Route) string { return fmt.Sprint(int(r.Duration.Round(time.Second).Seconds())) }
	pickupETA := seconds(way(geo.Point{Lat: 37.4986, Lng: 127.0283}, from))
	for _, m := range regexp.MustCompile(`"pin": ?"\d*", ?"pickup_eta_s": ?([1-9]\d*)`).FindAllStringSubmatch(page, -1) {
		require.Equal(t, pickupETA, m[1], m[0])
	}
	moved := regexp.MustCompile(`"point": ?\{"lat": ?([\d.]+), ?"lng": ?([\d.]+)\},\s*"heading_deg": ?\d+, ?"eta_s": ?(\d+)`).FindAllStringSubmatch(page, -1)
	require.NotEmpty(t, moved)
	for i, m := range moved {
		var at geo.Point
		at.Lat, err = strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		at.Lng, err = strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
		require.Contains(t, []string{seconds(way(at, from)), seconds(way(at, to))}, m[3], "position %d: %s", i, m[0])
	}
}
