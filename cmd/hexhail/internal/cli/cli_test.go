package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/backup"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// stage is a world for commands, with parts that only remember.
type stage struct {
	env      map[string]string
	stdin    string
	out, err buffer
	signals  chan os.Signal
	hangups  func() (<-chan os.Signal, func())
	parts    parts

	base      server.Base
	direction string
	newer     bool // the schema is a newer program's
	operator  server.NewOperator
	accounts  people
	events    []string
	export    server.TripsExport
	noKey     bool
	replaced  []string
}

func newStage() *stage {
	s := &stage{env: map[string]string{"HEXHAIL_OPS_LISTEN": "127.0.0.1:0"}, signals: make(chan os.Signal, 2)}
	s.parts = parts{
		assemble: func(_ context.Context, in server.Base) (*server.Server, error) {
			s.base = in
			return &server.Server{
				Services: []lifecycle.Service{{
					Name:  "store",
					Start: func(context.Context) error { s.events = append(s.events, "start"); return nil },
					Stop:  func(context.Context) error { s.events = append(s.events, "stop"); return nil },
				}},
				Addresses:   func() []server.Address { return []server.Address{{What: "sockets", URL: "ws://127.0.0.1:8080/v1/ws"}} },
				HasOperator: func(context.Context) (bool, error) { s.signals <- syscall.SIGTERM; return false, nil },
			}, nil
		},
		migrate: func(_ context.Context, _ *config.Config, direction persistence.Direction) ([]persistence.Migration, error) {
			s.direction = string(direction)
			list := []persistence.Migration{
				{Version: 1, Name: "0001_begin.sql", Applied: true, At: time.Unix(0, 0)}, {Version: 2, Name: "0002_more.sql"},
			}
			if s.newer {
				list = append(list, persistence.Migration{Version: 3, Applied: true, At: time.Unix(0, 0)})
			}
			return list, nil
		},
		createOperator: func(_ context.Context, _ *config.Config, o server.NewOperator) (ride.Account, error) {
			s.operator = o
			if o.Username == "taken" {
				return ride.Account{}, fmt.Errorf("create: %w", ride.ErrUsernameTaken)
			}
			return ride.Account{ID: "a1", Username: o.Username}, nil
		},
		openAccounts: func(context.Context, *config.Config) (accountAdmin, error) { return &s.accounts, nil },
		backup: func(_ context.Context, _ *config.Config, file string, o backup.Options) (backup.Report, error) {
			return s.backUp("backup "+file, o)
		},
		streamBackup: func(_ context.Context, _ *config.Config, w io.Writer, o backup.Options) (backup.Report, error) {
			fmt.Fprint(w, "archive")
			return s.backUp("stream", o)
		},
		exportTrips: func(_ context.Context, _ *config.Config, o server.TripsExport) (int, error) {
			fmt.Fprint(o.To, "lines")
			o.Progress(3)
			s.export = o
			s.events = append(s.events, "export")
			return 3, nil
		},
		checkBackup: func(_ context.Context, in io.Reader, o backup.Options) (backup.Report, error) {
			text, err := io.ReadAll(in)
			return s.backUpErr("check "+string(text), o, err)
		},
		restore: func(_ context.Context, _ *config.Config, in io.Reader, o backup.Options) (backup.Report, error) {
			text, err := io.ReadAll(in)
			return s.backUpErr("restore "+string(text), o, err)
		},
	}
	return s
}

func (s *stage) backUp(what string, o backup.Options) (backup.Report, error) {
	return s.backUpErr(what, o, nil)
}

func (s *stage) backUpErr(what string, o backup.Options, err error) (backup.Report, error) {
	o.Progress("copying", 1, 2)
	if o.Force {
		what += " by force"
	}
	s.events = append(s.events, what)
	m := backup.Manifest{Engine: "sqlite", Schema: 3, Rows: map[string]int64{"accounts": 2, "trips": 1}}
	if s.newer {
		m.Schema, m.Oldest = 9999, 9998
	}
	return backup.Report{Manifest: m,
		Size: 3 << 19, Took: 1500 * time.Millisecond, NoKey: s.noKey, Replaced: s.replaced}, err
}

func (s *stage) run(t *testing.T, args ...string) int {
	t.Helper()
	return run(t.Context(), Environment{
		Stdin: strings.NewReader(s.stdin), Stdout: &s.out, Stderr: &s.err,
		LookupEnv: func(k string) (string, bool) { v, ok := s.env[k]; return v, ok }, Signals: s.signals, Hangups: s.hangups,
	}, s.parts, args)
}

func TestServeRunsUntilToldToEnd(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "serve", "--dispatch-cap=12", "--log-format=json"), s.err.String())
	require.Equal(t, []string{"start", "stop"}, s.events)
	require.Equal(t, 12, s.base.Config.Dispatch.Cap)
	require.Contains(t, s.out.String(), "ws://127.0.0.1:8080/v1/ws")
	require.Contains(t, s.out.String(), "http://127.0.0.1:")
	require.Contains(t, s.out.String(), "hexhail admin create NAME")
	require.Contains(t, s.err.String(), `"msg":"ended in order"`)
}

func TestServeSaysNothingOfOperatorsWhenThereIsOne(t *testing.T) {
	s := newStage()
	assemble := s.parts.assemble
	s.parts.assemble = func(ctx context.Context, in server.Base) (*server.Server, error) {
		server, err := assemble(ctx, in)
		server.HasOperator = func(context.Context) (bool, error) { s.signals <- syscall.SIGTERM; return true, nil }
		return server, err
	}
	require.Equal(t, exitOK, s.run(t, "serve"))
	require.NotContains(t, s.out.String(), "admin create")
}

func TestServeFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		change func(*server.Server) (*server.Server, error)
		want   string
	}{
		"assembly": {func(*server.Server) (*server.Server, error) { return nil, broken }, "assemble the server: broken"},
		"start": {func(s *server.Server) (*server.Server, error) {
			s.Services[0].Start = func(context.Context) error { return broken }
			return s, nil
		}, "start store: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			assemble := s.parts.assemble
			s.parts.assemble = func(ctx context.Context, in server.Base) (*server.Server, error) {
				server, err := assemble(ctx, in)
				require.NoError(t, err)
				return c.change(server)
			}
			require.Equal(t, exitFailed, s.run(t, "serve"))
			require.Contains(t, s.err.String(), c.want)
		})
	}
}

func TestSecondSignalHasItsOwnExitCode(t *testing.T) {
	s := newStage()
	release := make(chan struct{})
	defer close(release)
	assemble := s.parts.assemble
	s.parts.assemble = func(ctx context.Context, in server.Base) (*server.Server, error) {
		server, err := assemble(ctx, in)
		server.Services[0].Stop = func(context.Context) error { s.signals <- syscall.SIGTERM; <-release; return nil }
		return server, err
	}
	// The operations listener is abandoned with the rest; end it for the leak check.
	defer func() { require.NoError(t, s.base.Ops.Stop(t.Context())) }()
	require.Equal(t, exitForced, s.run(t, "serve"))
}

func TestMigrate(t *testing.T) {
	for _, direction := range []string{"up", "down", "status"} {
		s := newStage()
		require.Equal(t, exitOK, s.run(t, "migrate", direction))
		require.Equal(t, direction, s.direction)
		require.Contains(t, s.out.String(), "1970-01-01T00:00:00Z")
		require.Regexp(t, `2 +0002_more.sql +no`, s.out.String())
		require.NotContains(t, s.out.String(), "newer program")
		s.newer = true
		require.Equal(t, exitOK, s.run(t, "migrate", direction))
		require.Regexp(t, `3 +\(unknown\) +1970-01-01T00:00:00Z\n.*newer program.*still runs on it`, s.out.String())
	}
}

func TestAdminCreate(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "admin", "create", "anna"))
	require.GreaterOrEqual(t, len(s.operator.Password), 26)
	require.Contains(t, s.out.String(), s.operator.Password)

	s = newStage()
	s.stdin = "correct horse\r\n"
	require.Equal(t, exitOK, s.run(t, "admin", "create", "anna", "--password-stdin", "--first-name=Anna"))
	require.Equal(t, server.NewOperator{Username: "anna", FirstName: "Anna", LastName: "anna", Password: "correct horse"}, s.operator)
	require.NotContains(t, s.out.String()+s.err.String(), "horse")

	for _, bad := range []string{"", "\n", strings.Repeat("x", 2000)} {
		s = newStage()
		s.stdin = bad
		require.Equal(t, exitFailed, s.run(t, "admin", "create", "anna", "--password-stdin"))
	}
	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "admin", "create", "taken"))
	require.Contains(t, s.err.String(), `account "taken" already exists`)
}

func TestConfigCheckAndShow(t *testing.T) {
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "config", "check"))
	require.Contains(t, s.out.String(), "fine")

	path := filepath.Join(t.TempDir(), "hexhail.yaml")
	require.NoError(t, os.WriteFile(path, []byte("dispatch-cap: 0\nnonsense: 1\nposition-ttl: soon\n"), 0o600))
	for _, command := range []string{"check", "show"} {
		s = newStage()
		require.Equal(t, exitFailed, s.run(t, "config", command, "--config", path))
		require.Contains(t, s.err.String(), "3 problems")
		for _, key := range []string{"dispatch-cap", "nonsense", "position-ttl"} {
			require.Contains(t, s.err.String(), "  - "+key+": ")
		}
	}
	require.Contains(t, s.out.String(), "dispatch-cap: 0  # file")
	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "serve", "--config", path), "a server does not start on problems")
	require.Empty(t, s.events)
}

func TestHealthcheck(t *testing.T) {
	for _, ready := range []bool{true, false} {
		s := newStage()
		o := ops.New(ops.Options{Log: slog.New(slog.DiscardHandler)})
		if ready {
			o.SetState(ops.Running)
		}
		server := httptest.NewServer(o.Handler())
		s.env["HEXHAIL_OPS_LISTEN"] = server.Listener.Addr().String()
		want := exitOK
		if !ready {
			want = exitFailed
		}
		require.Equal(t, want, s.run(t, "healthcheck"), s.err.String())
		server.Close()
		require.Equal(t, exitFailed, s.run(t, "healthcheck"), "no server")
	}
}

func TestDialable(t *testing.T) {
	for in, want := range map[string]string{
		":9090": "127.0.0.1:9090", "0.0.0.0:9090": "127.0.0.1:9090", "[::]:9090": "[::1]:9090",
		"10.0.0.1:9090": "10.0.0.1:9090", "localhost:9090": "localhost:9090",
	} {
		require.Equal(t, want, dialable(in))
	}
}

func TestHelpVersionAndUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"--help"}, exitOK, "Usage: hexhail"},
		{[]string{"serve", "--help"}, exitOK, "[$HEXHAIL_DISPATCH_CAP]"},
		{[]string{"version"}, exitOK, "hexhail "},
		{nil, exitUsage, "Try: hexhail"},
		{[]string{"serve", "--nonsense"}, exitUsage, "unknown flag"},
		{[]string{"serve", "--dispatch-cap=x"}, exitUsage, "dispatch-cap"},
		{[]string{"migrate"}, exitUsage, "Try: hexhail"},
	} {
		s := newStage()
		require.Equal(t, c.code, s.run(t, c.args...), c.args)
		require.Contains(t, s.out.String()+s.err.String(), c.out)
	}
}

// Every command that embeds the configuration must not shadow one of its settings.
func TestNoFlagOfACommandHidesASetting(t *testing.T) {
	for _, args := range [][]string{{"admin", "create"}, {"healthcheck"}, {"serve"}, {"migrate", "up"}, {"backup"}, {"restore"}} {
		s := newStage()
		require.Equal(t, exitOK, s.run(t, append(args, "--help")...))
		for _, flag := range []string{"--config=", "--data-dir=", "--database-url=", "--ops-listen="} {
			require.Equal(t, 1, strings.Count(s.out.String(), flag), "%v %s", args, flag)
		}
	}
}
