// Package localpg runs a throw-away Postgres with the programs that are installed on this machine, for
// tests and for the crash proof. No real data belong in it: it is deleted when the process ends,
// however that ends.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Server is a throw-away Postgres in a temporary directory, reached over a Unix
// socket there, with fsync on: what it acknowledges is meant to last.
type Server struct {
	bin, dir string
	watchdog *os.File // closed, by us or by our end, it takes the server down
}

// ErrMissing means that no Postgres is installed.
var ErrMissing = errors.New("initdb and pg_ctl are not installed")

// GiveAway makes the account that runs the server, which root may not be, the owner of a directory.
func GiveAway(dir string) error { return giveAway(dir) }

// Detached makes a child run under that account, in a session of its own, which a Ctrl-C does not reach.
func Detached() *syscall.SysProcAttr { return detached() }

// URL is where the server is reached.
func (s *Server) URL() string {
	q := url.Values{"host": {s.dir}, "user": {"hexhail"}, "dbname": {"postgres"}, "sslmode": {"disable"}}
	return "postgres:///?" + q.Encode()
}

// Crash ends the server at once, as a loss of power would end its processes.
func (s *Server) Crash() error { return s.ctl("stop", "-m", "immediate") }

// Resume starts a server that was ended; it recovers what was acknowledged.
func (s *Server) Resume() error {
	return s.ctl("start", "-w", "-t", "240", "-l", filepath.Join(s.dir, "log"),
		"-o", "-c listen_addresses='' -c unix_socket_directories='"+s.dir+"' -c max_connections=400 -c fsync=on")
}

func (s *Server) ctl(args ...string) error {
	return s.command("pg_ctl", append([]string{"-D", filepath.Join(s.dir, "data"), "-s"}, args...)...)
}

// Start makes a server and starts it. The error wraps ErrMissing if no Postgres is installed. The
// server ends with Close, or with this process.
func Start() (*Server, error) {
	bin, err := findBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hexhail-pg-")
	if err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	s := &Server{bin: bin, dir: dir}
	if err := s.init(); err != nil {
		return nil, errors.Join(fmt.Errorf("start Postgres: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

// Close takes the server down and deletes its files, and does not wait for that.
func (s *Server) Close() error { return s.watchdog.Close() }

func (s *Server) init() error {
	if err := giveAway(s.dir); err != nil {
		return err
	}
	if err := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-U", "hexhail", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	if err := s.Resume(); err != nil {
		return err
	}
	return s.watch()
}

// watch starts a shell that waits for the end of our pipe, which comes with the end
// of this process at the latest, then stops the server and removes its files.
func (s *Server) watch() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // the shell has its own
	//nolint:noctx // it outlives this process
	cmd := exec.Command("/bin/sh", "-c", `cat >/dev/null; "$1" -D "$2/data" -s -m immediate stop; rm -rf "$2"`,
		"sh", filepath.Join(s.bin, "pg_ctl"), s.dir)
	cmd.Stdin, cmd.Dir, cmd.SysProcAttr = r, "/", detached()
	if err := cmd.Start(); err != nil {
		return errors.Join(err, w.Close())
	}
	s.watchdog = w
	return nil
}

// command runs one of Postgres's programs, as an account that it accepts.
func (s *Server) command(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, asServer()
	// A file, for the server inherits it and a pipe would never end.
	out, err := os.CreateTemp("", "hexhail-pg-out-")
	if err != nil {
		return err
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", name, err, text)
	}
	return nil
}

// findBin finds the folder that holds initdb and pg_ctl.
func findBin() (string, error) {
	versions, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	slices.Reverse(versions)
	dirs := append(filepath.SplitList(os.Getenv("PATH")), versions...)
	for _, dir := range append(dirs, "/usr/local/bin", "/usr/local/pgsql/bin") {
		if isFile(filepath.Join(dir, "initdb")) && isFile(filepath.Join(dir, "pg_ctl")) {
			return dir, nil
		}
	}
	return "", ErrMissing
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
