package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alertCase is what an alert says of one server, or of one cluster, that is in trouble, and of another
// that is just not. Series are in promtool's notation, without the labels instance and job.
type alertCase struct {
	fires, quiet []string
	at           string            // when the alerts are looked at; empty: 60m
	labels       map[string]string // of the alert, besides instance, job and severity
	cluster      bool              // the alert is about a cluster: it has no instance
}

var alertCases = map[string]alertCase{
	"HexhailDown":            {fires: []string{`up 1x30 0x40`}, quiet: []string{`up 1x70`}},
	"HexhailDatabaseFailing": {fires: []string{`hexhail_database_ready 0x70`}, quiet: []string{`hexhail_database_ready 1x70`}},
	"HexhailDatabaseSlow": {
		fires:  []string{`hexhail_database_trouble{cause="slow"} 1x70`, `hexhail_database_ready 1x70`},
		quiet:  []string{`hexhail_database_trouble{cause="slow"} 1x70`, `hexhail_database_ready 0x70`},
		labels: map[string]string{"cause": "slow"},
	},
	"HexhailCommitsSlow": {
		fires: []string{`hexhail_commit_seconds_bucket{le="0.256"} 0x70`, `hexhail_commit_seconds_bucket{le="0.512"} 0+60x70`, `hexhail_commit_seconds_bucket{le="+Inf"} 0+60x70`},
		quiet: []string{`hexhail_commit_seconds_bucket{le="0.128"} 0+60x70`, `hexhail_commit_seconds_bucket{le="0.256"} 0+60x70`, `hexhail_commit_seconds_bucket{le="+Inf"} 0+60x70`},
	},
	"HexhailCommitsFail":     {fires: []string{`hexhail_commit_failures_total 0x57 1x10`}, quiet: []string{`hexhail_commit_failures_total 1x70`}},
	"HexhailCommitQueueFull": {fires: []string{`hexhail_commit_queue_depth 900x70`, `hexhail_commit_queue_capacity 1000x70`}, quiet: []string{`hexhail_commit_queue_depth 700x70`, `hexhail_commit_queue_capacity 1000x70`}},
	"HexhailDatabaseLogBlocked": {
		fires: []string{`hexhail_database_log_blocked_seconds 301x70`}, quiet: []string{`hexhail_database_log_blocked_seconds 299x70`},
	},
	// The embedded database has no announcements, and never had.
	"HexhailAccountListenerLost": {fires: []string{`hexhail_account_listener_connected 1x30 0x40`}, quiet: []string{`hexhail_account_listener_connected 0x70`}},
	"HexhailAccountChangesLate":  {fires: []string{`hexhail_account_changes_last_success_seconds 6x70`}, quiet: []string{`hexhail_account_changes_last_success_seconds 4x70`}},
	"HexhailClockWrong":          {fires: []string{`hexhail_database_clock_difference_seconds -0.3+0x70`}, quiet: []string{`hexhail_database_clock_difference_seconds -0.2+0x70`}},
	"HexhailPurgesStopped":       {fires: []string{`hexhail_purges_total 5x300`}, quiet: []string{`hexhail_purges_total 5x300`, `hexhail_purges_total{instance="b"} 0+0.1x300`}, at: "295m", cluster: true},
	"HexhailPanics":              {fires: []string{`hexhail_actor_panics_total{kind="trip"} 0x50 1x20`}, quiet: []string{`hexhail_actor_panics_total{kind="trip"} 1x70`}, labels: map[string]string{"kind": "trip"}},
	"HexhailMessagesMisdirected": {fires: []string{`hexhail_messages_misdirected_total 1x70`}, quiet: []string{`hexhail_messages_misdirected_total 0x70`}},
	"HexhailMailboxesFull":       {fires: []string{`hexhail_actor_mailbox_depth{kind="cell"} 3001x70`}, quiet: []string{`hexhail_actor_mailbox_depth{kind="cell"} 2999x70`}, labels: map[string]string{"kind": "cell"}},
	"HexhailActorBehind": {
		fires:  []string{`hexhail_actor_mailbox_deepest{kind="cell"} 600x70`, `hexhail_actor_mailbox_depth{kind="cell"} 1000x70`},
		quiet:  []string{`hexhail_actor_mailbox_deepest{kind="cell"} 600x70`, `hexhail_actor_mailbox_depth{kind="cell"} 1300x70`},
		labels: map[string]string{"kind": "cell"},
	},
	"HexhailActorsGrow": {fires: []string{`hexhail_actors{kind="trip"} 1500x1440 3500x200`}, quiet: []string{`hexhail_actors{kind="trip"} 500x1440 1500x200`}, at: "27h", labels: map[string]string{"kind": "trip"}},
	"HexhailTripsSwept": { // a start wakes what was overdue meanwhile
		fires: []string{`hexhail_trips_swept_total 0x50 1x20`, `process_start_time_seconds 0x70`},
		quiet: []string{`hexhail_trips_swept_total 0x50 1x20`, `process_start_time_seconds 3000x70`},
	},
	"HexhailSearchesExpire": {
		fires:   []string{`hexhail_trip_changes_total{event="expired"} 0+2x70`, `hexhail_trip_changes_total{event="matched"} 0+1x70`},
		quiet:   []string{`hexhail_trip_changes_total{event="expired"} 0+2x70`, `hexhail_trip_changes_total{event="matched"} 0+3x70`},
		cluster: true,
	},
	"HexhailMatchesSlow": {
		fires:   []string{`hexhail_time_to_match_seconds_bucket{le="60"} 0+8x90`, `hexhail_time_to_match_seconds_bucket{le="90"} 0+10x90`, `hexhail_time_to_match_seconds_bucket{le="+Inf"} 0+10x90`},
		quiet:   []string{`hexhail_time_to_match_seconds_bucket{le="60"} 0+9.5x90`, `hexhail_time_to_match_seconds_bucket{le="90"} 0+10x90`, `hexhail_time_to_match_seconds_bucket{le="+Inf"} 0+10x90`},
		cluster: true, at: "80m",
	},
	"HexhailOffersExpire": {
		fires:   []string{`hexhail_offers_ended_total{outcome="expired"} 0+3x70`, `hexhail_offers_ended_total{outcome="won"} 0+2x70`},
		quiet:   []string{`hexhail_offers_ended_total{outcome="expired"} 0+3x70`, `hexhail_offers_ended_total{outcome="won"} 0+4x70`},
		cluster: true,
	},
	"HexhailPositionsIgnored": {
		fires: []string{`hexhail_location_updates_total{result="ignored"} 0+30x70`, `hexhail_location_updates_total{result="taken"} 0+90x70`},
		quiet: []string{`hexhail_location_updates_total{result="ignored"} 0+20x70`, `hexhail_location_updates_total{result="taken"} 0+100x70`},
	},
	"HexhailTracksIncomplete": {
		fires: []string{`hexhail_breadcrumbs_total{result="dropped"} 0x50 1x20`}, quiet: []string{`hexhail_breadcrumbs_total{result="written"} 0x50 1x20`},
		labels: map[string]string{"result": "dropped"},
	},
	"HexhailSocketsBreak": {
		fires: []string{`hexhail_sessions_closed_total{code="4002"} 0+40x70`, `hexhail_sessions_open{role="rider"} 1000x70`},
		quiet: []string{`hexhail_sessions_closed_total{code="4002"} 0+10x70`, `hexhail_sessions_closed_total{code="1000"} 0+100x70`, `hexhail_sessions_open{role="rider"} 1000x70`},
	},
	"HexhailErrorsSent": {
		fires: []string{`hexhail_session_errors_total{code="unavailable"} 0+1x70`}, quiet: []string{`hexhail_session_errors_total{code="invalid_argument"} 0+1x70`},
		labels: map[string]string{"code": "unavailable"},
	},
	"HexhailSocketsRefused": {
		fires: []string{`hexhail_sessions_refused_total{reason="full"} 0+1x70`}, quiet: []string{`hexhail_sessions_refused_total{reason="credential"} 0+1x70`},
		labels: map[string]string{"reason": "full"},
	},
	"HexhailFilesRunOut":   {fires: []string{`process_open_fds 900x70`, `process_max_fds 1000x70`}, quiet: []string{`process_open_fds 800x70`, `process_max_fds 1000x70`}},
	"HexhailNodeNotJoined": {fires: []string{`hexhail_cluster_joined 0x70`}, quiet: []string{`hexhail_cluster_joined 1x70`}},
	"HexhailNodeLost":      {fires: []string{`hexhail_cluster_members 3x20 2x50`}, quiet: []string{`hexhail_cluster_members 2x20 3x50`}},
	"HexhailHistoriesLost": { // a node that ends takes the histories along
		fires:   []string{`hexhail_sessions_moved_total{history="silent"} 0+5x70`, `hexhail_cluster_members 3x70`},
		quiet:   []string{`hexhail_sessions_moved_total{history="silent"} 0+5x70`, `hexhail_cluster_members 3x54 2x16`},
		cluster: true,
	},
	"HexhailNodeLate": {fires: []string{`hexhail_cluster_members_late 1x70`}, quiet: []string{`hexhail_cluster_members_late 0x70`}},
	"HexhailNodesDisagree": {
		fires:   []string{`hexhail_cluster_members 3x70`, `hexhail_cluster_members{instance="b"} 2x70`},
		quiet:   []string{`hexhail_cluster_members 3x70`, `hexhail_cluster_members{instance="b"} 3x70`},
		cluster: true,
	},
	"HexhailClusterWarns": {fires: []string{`hexhail_cluster_warnings 1x70`}, quiet: []string{`hexhail_cluster_warnings 0x70`}},
	"HexhailVersionsDiffer": {
		fires:   []string{`hexhail_build_info{version="v1.0.0",commit="a"} 1x130`, `hexhail_build_info{version="v1.0.1",commit="b",instance="b"} 1x130`},
		quiet:   []string{`hexhail_build_info{version="v1.0.0",commit="a"} 1x130`, `hexhail_build_info{version="v1.0.0",commit="a",instance="b"} 1x130`},
		cluster: true, at: "120m",
	},
	// Evaluated an hour after the beginning of time: 13 days and 15 days before the end.
	"HexhailCertificateExpires":     {fires: []string{`hexhail_tls_certificate_expires_timestamp_seconds{name="rides.example.org"} 518400x70`}, quiet: []string{`hexhail_tls_certificate_expires_timestamp_seconds{name="rides.example.org"} 691200x70`}, labels: map[string]string{"name": "rides.example.org"}},
	"HexhailNodeCertificateExpires": {fires: []string{`hexhail_node_certificate_expires_timestamp_seconds 1126800x70`}, quiet: []string{`hexhail_node_certificate_expires_timestamp_seconds 1299600x70`}},
	"HexhailStrangersKnock": {
		fires: []string{`hexhail_node_handshakes_refused_total{direction="in"} 0+1x70`}, quiet: []string{`hexhail_node_handshakes_refused_total{direction="in"} 0+0.5x70`},
		labels: map[string]string{"direction": "in"},
	},
	"HexhailNodeRefused": {
		fires: []string{`hexhail_node_handshakes_refused_total{direction="out"} 0+1x70`}, quiet: []string{`hexhail_node_handshakes_refused_total{direction="in"} 0+0.5x70`},
		labels: map[string]string{"direction": "out"},
	},
	"HexhailNodeStandsStill": { // the pause of a former day no longer counts
		fires: []string{`hexhail_node_longest_pause_seconds 0.1x30 0.4x40`, `hexhail_node_tolerated_pause_seconds 0.6x70`},
		quiet: []string{`hexhail_node_longest_pause_seconds 0.4x70`, `hexhail_node_tolerated_pause_seconds 0.6x70`},
	},
	"HexhailNodeStreamsBroken": {fires: []string{`hexhail_node_streams_broken_total 0x50 1x20`}, quiet: []string{`hexhail_node_streams_broken_total 1x70`}},
	"HexhailNodeMessagesMalformed": {
		fires: []string{`hexhail_node_frames_total{result="malformed"} 0x50 1x20`}, quiet: []string{`hexhail_node_frames_total{result="stale"} 0x50 1x20`},
		labels: map[string]string{"result": "malformed"},
	},
}

// placed adds the labels of the place that a series comes from.
func placed(series, instance, job string) map[string]string {
	i := strings.IndexByte(series, ' ')
	name, labels := series[:i], ""
	if open := strings.IndexByte(name, '{'); open >= 0 {
		name, labels = name[:open], name[open+1:len(name)-1]+","
	}
	if !strings.Contains(labels, "instance=") {
		labels += `instance="` + instance + `",`
	}
	return map[string]string{"series": name + "{" + labels + `job="` + job + `"}`, "values": series[i+1:]}
}

// Each alert fires for a server in trouble, not yet at its beginning, and never for one that is just not.
func TestAlertsFire(t *testing.T) {
	tool := promtool(t)
	dir, args := t.TempDir(), []string{"test", "rules"}
	save := func(name string, content any) string {
		text, err := yaml.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		return filepath.Join(dir, name)
	}
	known := make(map[string]bool)
	for _, a := range alerts(t) {
		require.False(t, known[a.Name], "%s has a doubled name", a.Name)
		known[a.Name] = true
		require.Contains(t, []string{"critical", "warning", "info"}, a.Labels["severity"], a.Name)
		c, ok := alertCases[a.Name]
		require.True(t, ok, "%s has no test", a.Name)
		bad, good, job := "bad", "good", "hexhail"
		if c.cluster {
			bad, good, job = "a", "a", "good"
		}
		labels := map[string]string{"severity": a.Labels["severity"], "job": "hexhail"}
		var input []map[string]string
		for _, s := range c.fires {
			input = append(input, placed(s, bad, "hexhail"))
		}
		for _, s := range c.quiet {
			input = append(input, placed(s, good, job))
		}
		if !c.cluster {
			labels["instance"] = bad
		}
		for k, v := range c.labels {
			labels[k] = v
		}
		said := make(map[string]string)
		for k, text := range a.Annotations {
			said[k] = legend.ReplaceAllStringFunc(text, func(use string) string { return labels[legend.FindStringSubmatch(use)[1]] })
		}
		when := c.at
		if when == "" {
			when = "60m"
		}
		fired := []any{map[string]any{"exp_labels": labels, "exp_annotations": said}}
		expect := []any{map[string]any{"eval_time": when, "alertname": a.Name, "exp_alerts": fired}}
		if a.For != "" {
			expect = append(expect, map[string]any{"eval_time": "0m", "alertname": a.Name, "exp_alerts": []any{}})
		}
		// Each with its rule alone: all rules at each minute would take promtool seconds.
		rule := save(a.Name+".rule.yml", map[string]any{"groups": []any{map[string]any{"name": "alone", "rules": []any{a}}}})
		test := map[string]any{"interval": "1m", "name": a.Name, "input_series": input, "alert_rule_test": expect}
		args = append(args, save(a.Name+".yml", map[string]any{"rule_files": []string{rule}, "evaluation_interval": "1m", "tests": []any{test}}))
	}
	for name := range alertCases {
		require.True(t, known[name], "there is no alert %s", name)
	}
	said, err := exec.Command(tool, args...).CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.False(t, slices.Contains(strings.Fields(string(said)), "FAILED:"), "%s", said)
}
