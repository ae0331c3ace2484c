package packaging

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
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
	for _, file := range []string{"Dockerfile", "docker-compose.yml", "deploy/systemd/hexhail.service", "deploy/prometheus/compose.yml", ".ci/smoke", "docs/operations.md", "README.md"} {
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
		Environment map[string]string
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		Healthcheck struct{ Test []string }
		Ports       []string
		Volumes     []string
		CapDrop     []string      `yaml:"cap_drop"`
		ReadOnly    bool          `yaml:"read_only"`
		StopGrace   time.Duration `yaml:"stop_grace_period"`
		Restart     string
	}
	Volumes map[string]any
}

func TestComposeRunsHexhailWithPostgres(t *testing.T) {
	var c compose
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c))
	hexhail, db := c.Services["hexhail"], c.Services["db"]

	require.Empty(t, hexhail.DependsOn, "the server waits for its database")
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
			volume, _, _ := strings.Cut(v, ":")
			require.Contains(t, c.Volumes, volume, name)
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
	var prometheus struct {
		Jobs []struct {
			Targets []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/prometheus/prometheus.yml")), &prometheus))
	target := prometheus.Jobs[0].Targets[0].Targets[0]
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
	for _, folder := range []string{"actors", "cmd", "geo", "persistence", "ride", "transport", "go.mod", "go.sum", "LICENSE"} {
		require.Contains(t, ignore, "!"+folder)
	}
}

func TestUnitWaitsLongEnoughForTheServerToEnd(t *testing.T) {
	unit := read(t, "deploy/systemd/hexhail.service")
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\S+)$`).FindStringSubmatch(unit)
	require.NotNil(t, stop)
	d, err := time.ParseDuration(stop[1])
	require.NoError(t, err)
	require.Greater(t, d, 20*time.Second)
	for _, line := range []string{"DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="} {
		require.Regexp(t, `(?m)^`+regexp.QuoteMeta(line)+`$`, unit)
	}
}
