package packaging

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../../..", path))
	require.NoError(t, err)
	return string(text)
}

// Every variable that a shipped file sets must be a setting; otherwise it is silently ignored.
func TestShippedFilesSetOnlyRealSettings(t *testing.T) {
	known := map[string]bool{"HEXHAIL_DB_PASSWORD": true} // docker-compose.yml's own
	names, err := config.Names()
	require.NoError(t, err)
	for _, n := range names {
		known[config.EnvName(n)] = true
	}
	variable := regexp.MustCompile(`HEXHAIL_[A-Z0-9_]+`)
	for _, file := range []string{
		"Dockerfile", "docker-compose.yml", "deploy/systemd/hexhail.service", "deploy/systemd/hexhail@.service",
		"deploy/prometheus/compose.yml", "deploy/helm/hexhail/templates/statefulset.yaml",
		".ci/smoke", "docs/operations.md", "docs/cluster.md", "README.md",
	} {
		found := variable.FindAllString(read(t, file), -1)
		if file != "README.md" {
			require.NotEmpty(t, found, file)
		}
		for _, v := range found {
			require.True(t, known[v], "%s: %s is not a setting", file, v)
		}
	}
}

type compose struct {
	Services map[string]struct {
		Image       string
		Profiles    []string
		User        string
		Entrypoint  []string
		Command     []string
		Environment map[string]string
		DependsOn   yaml.Node `yaml:"depends_on"`
		Healthcheck struct{ Test []string }
		Ports       []string
		Volumes     []string
		CapDrop     []string      `yaml:"cap_drop"`
		ReadOnly    bool          `yaml:"read_only"`
		StopGrace   time.Duration `yaml:"stop_grace_period"`
		StopSignal  string        `yaml:"stop_signal"`
		Restart     string
		Networks    yaml.Node
	}
	Networks map[string]struct {
		IPAM struct {
			Config []struct{ Subnet netip.Prefix }
		}
	}
	Volumes map[string]any
}

func TestComposeRunsHexhailWithPostgres(t *testing.T) {
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c))
	hexhail, db := c.Services["hexhail"], c.Services["db"]

	require.True(t, hexhail.DependsOn.IsZero(), "the server waits for its database")
	require.Empty(t, hexhail.Profiles)
	require.Empty(t, db.Profiles)
	require.Contains(t, db.Healthcheck.Test, "pg_isready")
	require.True(t, hexhail.ReadOnly)
	require.Contains(t, hexhail.CapDrop, "ALL")
	require.Greater(t, hexhail.StopGrace, 20*time.Second, "not longer than the default of shutdown-grace")
	for _, p := range hexhail.Ports {
		require.True(t, strings.HasPrefix(p, "127.0.0.1:"), "%s is open to other machines without TLS", p)
	}
	require.Empty(t, db.Ports, "only hexhail needs the database")

	// There is no built-in password, and a missing one is an error that says what to do.
	required := "${HEXHAIL_DB_PASSWORD:?"
	require.True(t, strings.HasPrefix(db.Environment["POSTGRES_PASSWORD"], required))
	require.Contains(t, hexhail.Environment["HEXHAIL_DATABASE_URL"], "://hexhail:"+required)

	for name, s := range c.Services {
		require.NotEmpty(t, s.Restart, name)
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if path, ok := strings.CutPrefix(from, "./"); ok {
				read(t, path)
				require.True(t, strings.HasSuffix(v, ":ro"), v)
				continue
			}
			require.Contains(t, c.Volumes, from, name)
		}
	}
}

// Prometheus reaches the operations listener under its service name, and only from containers.
func TestComposeLetsPrometheusIn(t *testing.T) {
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/compose.yml")), &c))
	set := c.Services["hexhail"].Environment
	require.Empty(t, c.Services["hexhail"].Ports, "the operations listener has no authentication")
	for _, p := range c.Services["prometheus"].Ports {
		require.True(t, strings.HasPrefix(p, "127.0.0.1:"), p)
	}
	target := scraped(t, "prometheus.yml")[0]
	host, port, ok := strings.Cut(target, ":")
	require.True(t, ok)
	require.Equal(t, "0.0.0.0:"+port, set["HEXHAIL_OPS_LISTEN"])

	s := ops.New(ops.Options{AllowedHosts: []string{set["HEXHAIL_OPS_ALLOWED_HOSTS"]}, Log: slog.New(slog.DiscardHandler)})
	for name, status := range map[string]int{target: http.StatusOK, host: http.StatusOK, "elsewhere.example": http.StatusMisdirectedRequest} {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.Host = name
		s.Handler().ServeHTTP(w, r)
		require.Equal(t, status, w.Code, name)
	}
}

// Prometheus beside a cluster asks each node, under a name that the node answers to.
func TestComposeLetsPrometheusIntoTheCluster(t *testing.T) {
	var c, more compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c))
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/compose-cluster.yml")), &more))
	require.Contains(t, more.Services["prometheus"].Volumes, "./deploy/prometheus/cluster.yml:/etc/prometheus/prometheus.yml:ro")
	targets := scraped(t, "cluster.yml")
	require.Len(t, targets, len(composeNodes))
	for i, target := range targets {
		set := c.Services[composeNodes[i]].Environment
		host, port, err := net.SplitHostPort(target)
		require.NoError(t, err)
		require.Equal(t, set["HEXHAIL_OPS_ALLOWED_HOSTS"], host)
		require.Equal(t, "0.0.0.0:"+port, set["HEXHAIL_OPS_LISTEN"])
	}
}

// scraped returns what a configuration of Prometheus asks for metrics.
func scraped(t *testing.T, file string) []string {
	t.Helper()
	var prometheus struct {
		Jobs []struct {
			Targets []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/"+file)), &prometheus))
	return prometheus.Jobs[0].Targets[0].Targets
}

func TestDockerfileIsSmallAndUnprivileged(t *testing.T) {
	text := read(t, "Dockerfile")
	goMod := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	require.Contains(t, text, "FROM golang:"+goMod[1]+"-", "the build stage's version of Go differs from go.mod")

	stages := strings.Split(text, "\nFROM ")
	require.Len(t, stages, 3)
	last := stages[2]
	require.Regexp(t, `(?m)^USER [1-9]\d*:[1-9]\d*$`, last, "a number, so that a cluster can see it is not root")
	require.Regexp(t, `(?m)^HEALTHCHECK .*CMD \["hexhail", "healthcheck"\]$`, last)
	require.Regexp(t, `(?m)^ENTRYPOINT \["hexhail"\]$`, last)
	runs := regexp.MustCompile(`(?m)^RUN (?:.*\\\n)*.*`).FindAllString(last, -1)
	require.Len(t, runs, 1, "the last stage only copies, except for Postgres's tools")
	tools := regexp.MustCompile(`--no-install-recommends postgresql-client-(\d+) `).FindStringSubmatch(runs[0])
	require.NotNil(t, tools)
	require.Contains(t, read(t, "docker-compose.yml"), "image: postgres:"+tools[1]+"\n", "backups need the server's version")
	suite := regexp.MustCompile(`golang:[\d.]+-(\w+)`).FindStringSubmatch(text)
	require.Contains(t, last, "debian:"+suite[1]+"-slim", "cgo needs the C library of the build stage")

	// .dockerignore must let in everything that the build copies, and nothing else through a
	// wildcard.
	ignore := strings.Split(read(t, ".dockerignore"), "\n")
	require.Contains(t, ignore, "*")
	for _, folder := range []string{"actors", "cmd", "geo", "persistence", "ride", "transport", "go.mod", "go.sum", "LICENSE", "NOTICE"} {
		require.Contains(t, ignore, "!"+folder)
	}
}

func TestUnitsWaitLongEnoughForTheServerToEnd(t *testing.T) {
	for _, file := range []string{"hexhail.service", "hexhail@.service"} {
		unit := read(t, "deploy/systemd/"+file)
		stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\S+)$`).FindStringSubmatch(unit)
		require.NotNil(t, stop)
		d, err := time.ParseDuration(stop[1])
		require.NoError(t, err)
		require.Greater(t, d, 20*time.Second)
		for _, line := range []string{"DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "Restart=on-failure"} {
			require.Regexp(t, `(?m)^`+regexp.QuoteMeta(line)+`$`, unit)
		}
	}
}

// The unit of nodes is as strict as that of one server: below the settings of the process they are equal.
func TestUnitOfNodesIsAsStrict(t *testing.T) {
	_, one, ok := strings.Cut(read(t, "deploy/systemd/hexhail.service"), "\nLimitNOFILE=")
	require.True(t, ok)
	head, node, ok := strings.Cut(read(t, "deploy/systemd/hexhail@.service"), "\nLimitNOFILE=")
	require.True(t, ok)
	require.Equal(t, one, strings.Replace(node, "StateDirectory=hexhail/%i\n", "StateDirectory=hexhail\n", 1))

	// Every file that the settings name is one that systemd hands over.
	given := regexp.MustCompile(`(?m)^LoadCredential=(\S+):/etc/hexhail/\S+$`).FindAllStringSubmatch(head, -1)
	require.Len(t, given, 5)
	for _, g := range given {
		require.Contains(t, head, "=%d/"+g[1])
	}
	require.Equal(t, len(given), strings.Count(head, "=%d/"))
	require.Contains(t, head, "\nStartLimitIntervalSec=0\n", "a node that ends itself often stays away")
}

// Where systemd is installed, it finds no fault with the units.
func TestSystemdTakesTheUnits(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze") //nolint:misspell // its name
	if err != nil {
		t.Skip("systemd is not installed")
	}
	dir := t.TempDir()
	for _, file := range []string{"hexhail.service", "hexhail@.service"} {
		// The program need not be installed here.
		unit := strings.ReplaceAll(read(t, "deploy/systemd/"+file), "/usr/local/bin/hexhail", "/bin/true")
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(unit), 0o600))
	}
	said, err := exec.Command(tool, "verify", "--man=no", filepath.Join(dir, "hexhail.service"), filepath.Join(dir, "hexhail@a.service")).CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.NotContains(t, string(said), "hexhail", "%s", said)
}
