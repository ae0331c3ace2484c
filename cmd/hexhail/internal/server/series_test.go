package server

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// registered returns all metrics of a complete idle server.
func registered(t *testing.T) *prometheus.Registry {
	t.Helper()
	c := defaults(t)
	c.Store.DataDir, c.HTTP.Listen, c.Ops.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	log := slog.New(slog.DiscardHandler)
	operations := ops.New(ops.Options{Log: log, Build: ops.Build{Version: "v1.2.3", Commit: "0123456789ab"}})
	s, err := Assemble(t.Context(), Base{Config: c, Log: log, Ops: operations})
	require.NoError(t, err)
	for _, service := range s.Services {
		require.NoError(t, service.Start(t.Context()), service.Name)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			require.NoError(t, service.Stop(ctx), service.Name)
		})
	}
	return operations.Registry
}

// labels holds the values of each label of a metric.
type labels map[string][]string

// series declares the labels of every metric that has any. Nil means that a metric's series appear
// only once they count.
func series() map[string]labels {
	roles := []string{"rider", "driver", "operator"}
	encodings := []string{"json", "proto"}
	kinds := labels{"kind": {"trip", "rider", "driver", "operator", "cell", "matcher"}}
	var statuses []string
	for _, s := range ride.Statuses() {
		statuses = append(statuses, string(s))
	}
	closes := []string{"1000", "1001", "1002", "1005", "1006", "1007", "1008", "1009", "1011", "other"}
	for code := range ridepb.CloseCodes() {
		closes = append(closes, fmt.Sprint(int(code)))
	}
	errorCodes := []string{"other"}
	for _, e := range ride.Errors() {
		errorCodes = append(errorCodes, e.Code)
	}
	messages := []string{"unreadable"}
	fields := (&ridepb.ClientFrame{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	for i := range fields.Len() {
		messages = append(messages, string(fields.Get(i).Name()))
	}
	causes := []string{}
	for _, c := range persistence.Causes() {
		causes = append(causes, string(c))
	}
	var verdicts []string
	for _, v := range ride.StreetVerdicts {
		verdicts = append(verdicts, string(v))
	}
	out := map[string]labels{
		"hexhail_database_trouble":               {"cause": causes},
		"hexhail_account_changes_applied_total":  {"way": {"notify", "poll", "catch_up"}},
		"hexhail_trips":                          {"status": statuses},
		"hexhail_trip_changes_total":             {"event": ride.EventKinds()},
		"hexhail_streets_checks_total":           {"verdict": verdicts},
		"hexhail_match_plans_total":              {"result": {"made", "failed"}},
		"hexhail_match_plan_size":                {"of": {"rows", "columns"}},
		"hexhail_match_stage_seconds":            {"stage": {"search", "ways", "decide"}},
		"hexhail_match_outcomes_total":           nil, // each of the engine's reasons that occurs, beside those of most waits
		"hexhail_match_fallbacks_total":          {"why": {"unanswered", "silent"}},
		"hexhail_match_first_total":              {"by": {"at_once", "window"}},
		"hexhail_offers_ended_total":             {"outcome": {"won", "withdrawn", "expired", "declined"}},
		"hexhail_location_updates_total":         {"result": {"taken", "ignored"}},
		"hexhail_sessions_joined_total":          {"how": {"new", "resumed", "history_lost"}},
		"hexhail_sessions_moved_total":           {"history": {"taken", "none", "silent", "gone"}},
		"hexhail_breadcrumbs_total":              {"result": {"written", "dropped"}},
		"hexhail_sessions_open":                  {"encoding": encodings, "role": append(roles, "none")},
		"hexhail_sessions_accepted_total":        {"encoding": encodings, "role": roles},
		"hexhail_sessions_refused_total":         {"reason": {"draining", "full", "address_full", "credential_in_url", "credential", "unavailable", "handshake"}},
		"hexhail_sessions_closed_total":          {"code": closes},
		"hexhail_session_errors_total":           {"code": errorCodes},
		"hexhail_session_frames_received_total":  {"message": messages},
		"hexhail_session_authentication_seconds": {"result": {"accepted", "refused"}},
		"hexhail_socket_bytes_total":             {"direction": {"in", "out"}},
		"hexhail_socket_frames_total":            {"direction": {"in", "out"}},
		// By route and status: thousands of series, most of which never count anything.
		"hexhail_http_request_seconds": nil,
	}
	for _, name := range []string{
		"actors_spawned_total", "actors_stopped_total", "actors", "actor_messages_total", "actor_mailbox_depth",
		"actor_mailbox_deepest", "actor_slowest_seconds", "actor_panics_total", "actor_handling_seconds",
	} {
		out["hexhail_"+name] = kinds
	}
	return out
}

// Every series with known labels exists from the start, with 0: rate() and alerts miss the first
// event of a series that appears with it. Declare a new metric with labels above.
func TestEverySeriesIsThereFromTheStart(t *testing.T) {
	registry := registered(t)
	declared := series()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		registry.Describe(descriptions)
	}()
	parts := regexp.MustCompile(`fqName: "([^"]*)".*variableLabels: \{([^}]*)\}`)
	found := map[string]bool{}
	for d := range descriptions {
		m := parts.FindStringSubmatch(d.String())
		require.NotNil(t, m, d.String())
		if !strings.HasPrefix(m[1], "hexhail_") || m[2] == "" {
			continue
		}
		found[m[1]] = true
		values, ok := declared[m[1]]
		require.True(t, ok, "%s has the labels {%s}, which this test does not know: create all series at start, or say why not", m[1], m[2])
		if values != nil {
			require.ElementsMatch(t, slices.Collect(maps.Keys(values)), strings.Split(m[2], ","), m[1])
		}
	}
	got := map[string]map[string]bool{}
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		of := map[string]bool{}
		for _, m := range f.GetMetric() {
			key := ""
			for _, l := range m.GetLabel() { // by name
				key += l.GetName() + "=" + l.GetValue() + " "
			}
			of[key] = true
		}
		got[f.GetName()] = of
	}
	for name, values := range declared {
		require.True(t, found[name], "%s is declared but does not exist", name)
		want := map[string]bool{"": true}
		for _, label := range slices.Sorted(maps.Keys(values)) {
			next := map[string]bool{}
			for before := range want {
				for _, v := range values[label] {
					next[before+label+"="+v+" "] = true
				}
			}
			want = next
		}
		if values == nil {
			want = nil
		}
		if len(want) > 0 {
			require.Equal(t, want, got[name], name)
		}
	}
}

func TestBuildInfo(t *testing.T) {
	families, err := registered(t).Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != "hexhail_build_info" {
			continue
		}
		said := map[string]string{}
		for _, l := range f.GetMetric()[0].GetLabel() {
			said[l.GetName()] = l.GetValue()
		}
		require.Equal(t, map[string]string{"version": "v1.2.3", "commit": "0123456789ab", "goversion": runtime.Version()}, said)
		require.EqualValues(t, 1, f.GetMetric()[0].GetGauge().GetValue())
		return
	}
	t.Fatal("hexhail_build_info is missing")
}
