package server

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// docs/protocol.md tells clients what a server does that nobody configured.
func TestProtocolPageStatesTheDefaults(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/protocol.md")
	require.NoError(t, err)
	page := strings.Join(strings.Fields(string(text)), " ") // lines are broken anywhere

	c := defaults(t)
	s := sessionConfig(c, slog.Default(), nil, newMetrics())
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
			t.Errorf("the page does not say %q", sentence) // without the page
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
