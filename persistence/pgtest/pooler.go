package pgtest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hexhail/hexhail/persistence/localpg"
)

// poolerPort names the pooler's socket in its directory.
const poolerPort = "6432"

// Pooler starts a PgBouncer before the database of a URL that Start or Server.URL returned,
// and returns the URL that leads through it, with the same search_path. Mode is "transaction"
// or "session"; more are further lines of its configuration. It is taken down when the test
// ends. If there is no PgBouncer the test is skipped, or fails when HEXHAIL_REQUIRE_ALL is 1.
func Pooler(tb testing.TB, base, mode string, more ...string) string {
	tb.Helper()
	program, err := findPgBouncer()
	if err != nil {
		if os.Getenv("HEXHAIL_REQUIRE_ALL") == "1" {
			tb.Fatalf("PgBouncer is required here: %v", err)
		}
		tb.Skipf("no PgBouncer: %v", err)
	}
	dir, err := os.MkdirTemp("", "hexhail-pool-") //nolint:usetesting // a test's own directory has too long a name for a socket
	if err != nil {
		tb.Fatal(err)
	}
	through, err := startPooler(tb, program, dir, base, append([]string{"pool_mode = " + mode}, more...))
	if err != nil {
		tb.Fatalf("start PgBouncer: %v", errors.Join(err, os.RemoveAll(dir)))
	}
	return through
}

func startPooler(tb testing.TB, program, dir, base string, settings []string) (string, error) {
	to, err := pgx.ParseConfig(base)
	if err != nil {
		return "", err
	}
	target := fmt.Sprintf("host='%s' port=%d dbname='%s' user='%s'", to.Host, to.Port, to.Database, to.User)
	if to.Password != "" {
		target += fmt.Sprintf(" password='%s'", to.Password)
	}
	config := fmt.Sprintf("[databases]\nhexhail = %s\n[pgbouncer]\nlisten_addr =\nlisten_port = %s\nunix_socket_dir = %s\n"+
		"auth_type = any\nserver_tls_sslmode = prefer\nmax_client_conn = 500\ndefault_pool_size = 5\n%s\n",
		target, poolerPort, dir, strings.Join(settings, "\n"))
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := errors.Join(os.WriteFile(file, []byte(config), 0o644), localpg.GiveAway(dir)); err != nil {
		return "", err
	}
	// As for the server: a shell that waits for the end of our pipe, which comes with the
	// end of this process at the latest.
	cmd := exec.Command("/bin/sh", "-c", `"$1" "$2/pgbouncer.ini" >"$2/log" 2>&1 & p=$!; cat >/dev/null; kill "$p"; wait "$p"; rm -rf "$2"`,
		"sh", program, dir)
	cmd.Dir, cmd.SysProcAttr = "/", localpg.Detached()
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", err
	}
	tb.Cleanup(func() {
		_ = pipe.Close()
		_ = cmd.Wait()
	})
	return throughPooler(dir, to.RuntimeParams["search_path"], to.User), awaitPooler(dir)
}

func throughPooler(dir, path, user string) string {
	q := url.Values{"host": {dir}, "port": {poolerPort}, "user": {user}, "dbname": {"hexhail"}, "sslmode": {"disable"}}
	if path != "" {
		q.Set("search_path", path)
	}
	return "postgres:///?" + q.Encode()
}

// awaitPooler waits until it takes connections.
func awaitPooler(dir string) error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL."+poolerPort))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("%w: %s", err, text)
		}
	}
}

func findPgBouncer() (string, error) {
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
	for _, dir := range dirs {
		path := filepath.Join(dir, "pgbouncer")
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", errors.New("pgbouncer is not installed")
}
