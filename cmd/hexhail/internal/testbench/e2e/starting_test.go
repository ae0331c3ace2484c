package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/persistence/pgtest"
)

// A server that starts before its Postgres is live but not ready, and says why; it shuts down
// cleanly on demand, serves once the database is up, and gives up after its limit.
func TestStartsBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	pg := pgtest.NewServer(t)
	require.NoError(t, pg.Crash())
	begin := func(flags ...string) (ops string, signals chan<- os.Signal, ended <-chan int) {
		ops = harness.FreeAddress(t)
		sig, end := make(chan os.Signal, 2), make(chan int, 1)
		go func() {
			end <- cli.Main(context.Background(), cli.Environment{
				Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: t.Output(), Signals: sig,
				LookupEnv: func(string) (string, bool) { return "", false },
			}, append([]string{"serve", "--data-dir=" + t.TempDir(), "--listen=127.0.0.1:0", "--ops-listen=" + ops,
				"--database-url=" + pg.URL()}, flags...))
		}()
		return ops, sig, end
	}

	_, _, ended := begin("--database-wait=1ms")
	require.Equal(t, 1, <-ended)

	ops, signals, ended := begin("--database-wait=1h")
	waiting(t, ops)
	signals <- syscall.SIGTERM
	require.Equal(t, 0, <-ended)

	ops, signals, ended = begin("--database-wait=1h")
	waiting(t, ops)
	require.NoError(t, pg.Resume())
	harness.Until(t, "ready", func() bool { code, _ := ask(ops, "/readyz"); return code == 200 })
	signals <- syscall.SIGTERM
	require.Equal(t, 0, <-ended)
}

// waiting waits until a server reports that it is waiting, and checks that it is live.
func waiting(t *testing.T, ops string) {
	t.Helper()
	var said harness.Readiness
	harness.Until(t, "waiting", func() bool {
		code, r := ask(ops, "/readyz")
		said = r
		return code == 503 && r.Cause == "unreachable"
	})
	require.Equal(t, "starting", said.Status)
	require.Contains(t, said.Message, "Waiting for the database.")
	code, _ := ask(ops, "/healthz")
	require.Equal(t, 200, code)
}

// ask asks the operations listener; 0 while it does not answer.
func ask(ops, path string) (code int, said harness.Readiness) {
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + ops + path)
	if err != nil {
		return 0, said
	}
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(&said) // an unreadable answer stays empty
	return resp.StatusCode, said
}
