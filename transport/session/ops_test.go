package session

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// metric sums the series of a family that have all the labels.
func metric(t *testing.T, m *Metrics, name string, labels ...string) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(m))
	families, err := reg.Gather()
	require.NoError(t, err)
	sum, found := 0.0, false
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		found = true
		for _, s := range f.GetMetric() {
			if labelled(s, labels) {
				sum += s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
			}
		}
	}
	require.True(t, found, "no metric %s", name)
	return sum
}

func labelled(s *dto.Metric, labels []string) bool {
	have := map[string]string{}
	for _, l := range s.GetLabel() {
		have[l.GetName()] = l.GetValue()
	}
	for i := 0; i < len(labels); i += 2 {
		if have[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

func TestMetrics(t *testing.T) {
	w := listen(t, func(c *Config, _ *world) { c.MaxSockets = 3 })
	m := w.h.metrics
	stranger := w.dial(t, wire.JSON, nil)
	rider, _ := w.as(w.dial(t, wire.JSON, nil), "rider")
	driver, inbox := w.as(w.dial(t, wire.Binary, nil), "driver")
	w.knock(t, "", nil)
	w.knock(t, "?token=x", nil)
	rider.send(sample(kindArrived, "x"))
	rider.refused("x", ride.ErrWrongRole, "")
	inbox.join.Out.Reply(&ridepb.Reply{Id: "y", Result: &ridepb.Reply_Error{Error: &ridepb.Error{Code: "made up"}}})
	driver.reply("y")
	driver.close(4999, "my own")
	gone(t, inbox.left)
	stranger.send(sample(kindPing, ""))
	stranger.refused("", ride.ErrNotConnected, "")
	stranger.closed(ridepb.CloseProtocolError)
	require.Eventually(t, func() bool { return w.h.registry.Len() == 1 }, patience, 1e6)

	for _, want := range []struct {
		value  float64
		name   string
		labels string
	}{
		{1, "hexhail_sessions_open", ""},
		{1, "hexhail_sessions_open", "encoding json role rider"},
		{1, "hexhail_sessions_accepted_total", "encoding proto role driver"},
		{2, "hexhail_sessions_accepted_total", ""},
		{1, "hexhail_sessions_refused_total", "reason full"},
		{1, "hexhail_sessions_refused_total", "reason credential_in_url"},
		{1, "hexhail_sessions_closed_total", "code other"},
		{1, "hexhail_sessions_closed_total", "code 4500"},
		{1, "hexhail_session_errors_total", "code wrong_role"},
		{1, "hexhail_session_errors_total", "code not_connected"},
		{1, "hexhail_session_errors_total", "code other"},
		{2, "hexhail_session_frames_received_total", "message connect"},
		{1, "hexhail_session_frames_received_total", "message arrived"},
		{0, "hexhail_session_locations_dropped_total", ""},
		{2, "hexhail_session_authentication_seconds", "result accepted"},
	} {
		require.InDelta(t, want.value, metric(t, m, want.name, strings.Fields(want.labels)...), 0, "%s %s", want.name, want.labels)
	}
}

func TestTheLogHoldsOneLineAndNoSecrets(t *testing.T) {
	var log bytes.Buffer
	w := listen(t, func(c *Config, _ *world) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	stranger := w.dial(t, wire.JSON, nil)
	stranger.send(connectWith("1", &ridepb.Connect{Token: "wrong"}))
	stranger.refused("1", ride.ErrUnauthenticated, "")
	stranger.closed(ridepb.CloseUnauthenticated)

	c := w.dial(t, wire.JSON, nil)
	c.send(connectWith("1", &ridepb.Connect{Token: "driver", Client: "app/1\n\u202e{forged}"}))
	c.reply("1")
	inbox := next(t, w.router.inboxes)
	c.send(sample(kindLocation, ""))
	next(t, inbox.locations)
	inbox.join.Out.Close(ridepb.CloseReplaced, 0)
	c.closed(ridepb.CloseReplaced)
	require.Eventually(t, func() bool { return w.h.registry.Len() == 0 }, patience, 1e6)

	line := log.String()
	require.Equal(t, 1, strings.Count(line, "\n"), line)
	for _, want := range []string{`"account":"account-driver"`, `"role":"driver"`, `"code":4503`, `"duration":`, `"client":"app/1??{forged}"`} {
		require.Contains(t, line, want)
	}
	for _, secret := range []string{`"driver-`, "family-", "Secret", "37.49", "374979"} {
		require.NotContains(t, line, secret)
	}
}
