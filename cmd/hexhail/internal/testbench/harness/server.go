// Package harness runs the whole of Hexhail for tests: the server as the command line makes it, in
// this process or in a child that can be killed, and clients that speak only the public protocol.
// It is for tests only.
package harness

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/ride"
)

// The outside issuer that every server of this package trusts, so that a test can create thousands
// of accounts without hashing passwords.
const (
	Issuer   = "https://issuer.test"
	Audience = "hexhail-test"
	Secret   = "a secret of the tests, long enough for HS256"
)

// ChildEnv makes a test binary run the server instead of tests if it is set; see Main.
const ChildEnv = "HEXHAIL_TEST_CHILD"

// Main is for the TestMain of packages that start children: in a child, it runs the command line
// instead of the tests. parallel is how many parallel tests run at once, more than there are
// processors where tests wait more than they compute; 0: as go test is called.
func Main(m *testing.M, parallel int) {
	if os.Getenv(ChildEnv) != "" {
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, syscall.SIGTERM)
		os.Exit(cli.Main(context.Background(), cli.Environment{
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, Signals: signals,
		}, os.Args[1:]))
	}
	if Nodes() > 0 { // each test has as many servers
		parallel = min(parallel, 6)
	}
	if parallel > 0 {
		flag.Parse()
		if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// Server is a running Hexhail.
type Server struct {
	// HTTP, WS and Ops are base URLs: http://…, ws://…/v1/ws, http://….
	HTTP, WS, Ops string
	// Dir is its data directory.
	Dir string

	tb     testing.TB
	args   []string
	log    *Buffer
	said   *Buffer      // its output after the addresses
	stop   func() error // gracefully
	kill   func()       // at once; nil in this process
	pid    int          // a child's
	exited chan struct{}
	nodes  []*Server // of a cluster
}

// Options say how to start a server.
type Options struct {
	// Dir is the data directory; empty: a new one.
	Dir string
	// Child runs the server in a separate process, which Kill can kill. The test's package must
	// call Main.
	Child bool
	// Program is what a Child runs; empty: this test binary, as it is.
	Program string
	// Demo runs the demonstration, with its city, instead of serve. It has no Ops.
	Demo bool
	// Flags are further arguments of serve, such as "--trip-pin", or of demo.
	Flags []string
	// AnyEnd leaves the check of the server's exit to the test.
	AnyEnd bool
	// Plain keeps the default of driver-approval; otherwise drivers need no approval.
	Plain bool
}

// Start starts a server on free loopback ports and waits until it is ready. It shuts the server
// down when the test ends, and fails the test if that is not clean. The default flags suit tests:
// no effective rate limits, and no time limits that only a slow or busy machine would reach. A test
// of a limit sets it explicitly.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	file := filepath.Join(o.Dir, "hexhail.yaml")
	text := fmt.Sprintf("outside-issuers:\n- issuer: %s\n  audience: %s\n  shared-secret: %s\n  algorithm: HS256\n"+
		"  create-accounts: true\n  roles: [rider, driver, operator]\n", Issuer, Audience, Secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, Dir: o.Dir, log: &Buffer{}, said: &Buffer{}, exited: make(chan struct{})}
	command := []string{
		"serve", "--data-dir=" + o.Dir, "--position-ttl=5m", "--dispatch-offer-ttl=2m", "--trip-search-for=2m",
		"--dispatch-policy=broadcast", // so that drivers race for each trip
		"--socket-connect-within=1m", "--socket-pong-timeout=1m", "--socket-session-linger=10m",
	}
	if o.Demo {
		command = []string{"demo", "--data=" + o.Dir, "--headless"}
	}
	s.args = append(append(command,
		"--config="+file, "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0",
		"--limit-commands-per-second=10000", "--limit-commands-burst=10000", "--limit-locations-per-second=1000",
		"--limit-requests-per-second=10000", "--limit-requests-burst=10000", "--limit-sign-ins-per-minute=100000",
		"--log-level=warn", "--shutdown-grace=1m",
	), o.Flags...)
	if !o.Plain && !slices.Contains(o.Flags, "--driver-approval") {
		s.args = append(s.args, "--no-driver-approval")
	}
	out := s.inProcess
	if o.Child {
		out = func() io.Reader { return s.child(cmp.Or(o.Program, os.Args[0])) }
	}
	if err := s.readAddresses(out()); err != nil {
		tb.Fatalf("the server did not start: %v\n%s", err, s.log)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("server's log:\n%s", s.log)
		}
		if err := s.Stop(); err != nil && !o.AnyEnd {
			tb.Errorf("the server did not end in order: %v\n%s\n%s", err, s.log, s.said)
		}
	})
	return s
}

// inProcess runs the command line in this process.
func (s *Server) inProcess() io.Reader {
	r, w := io.Pipe()
	signals := make(chan os.Signal, 2)
	code := 0
	go func() {
		defer close(s.exited)
		code = cli.Main(context.Background(), cli.Environment{
			Stdin: strings.NewReader(""), Stdout: w, Stderr: s.log,
			LookupEnv: func(string) (string, bool) { return "", false }, Signals: signals,
			Exit: func(code int) { s.tb.Errorf("a node ended itself with exit code %d:\n%s", code, s.log) },
		}, s.args)
		_ = w.Close()
	}()
	s.stop = sync.OnceValue(func() error {
		signals <- syscall.SIGTERM
		<-s.exited
		if code != 0 {
			return fmt.Errorf("exit code %d", code)
		}
		return nil
	})
	return r
}

// child runs a program as the server.
func (s *Server) child(program string) io.Reader {
	cmd := exec.Command(program, s.args...)
	cmd.Env = append(os.Environ(), ChildEnv+"=1")
	cmd.Stderr = s.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	var waited error
	go func() {
		defer close(s.exited)
		waited = cmd.Wait()
	}()
	killed := false
	s.kill = func() {
		killed = true
		_ = cmd.Process.Kill()
		<-s.exited
	}
	s.stop = sync.OnceValue(func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone
		<-s.exited
		if killed {
			return nil
		}
		return waited
	})
	return out
}

// readAddresses reads what serve prints when it is ready.
func (s *Server) readAddresses(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 2:
		case f[0] == "sockets":
			s.WS = f[len(f)-1]
			s.HTTP = "http" + strings.TrimSuffix(strings.TrimPrefix(s.WS, "ws"), "/v1/ws")
		case f[0] == "operations", f[0] == "Accounts,": // the last lines of serve and demo
			if f[0] == "operations" {
				s.Ops = f[len(f)-1]
			}
			go func() { // the command may print more, and must not block
				_, _ = io.Copy(s.said, r)
			}()
			return nil
		}
	}
	return fmt.Errorf("it printed no addresses: %w", lines.Err())
}

// Stop shuts the server down and returns its error. After Kill it returns nil.
func (s *Server) Stop() error { return s.stop() }

// Kill kills a child like kill -9 and waits until it is gone.
func (s *Server) Kill() {
	if s.kill == nil {
		s.tb.Fatal("only a server in a child can be killed")
	}
	s.kill()
}

// Pid is a child's process id, of a cluster the first node's; 0 for servers in this process.
func (s *Server) Pid() int { return s.pid }

// StoreFlags returns the flags that say where the server's data are, for other commands on the same
// data.
func (s *Server) StoreFlags() []string {
	return slices.DeleteFunc(slices.Clone(s.args), func(arg string) bool {
		return !strings.HasPrefix(arg, "--data-dir=") && !strings.HasPrefix(arg, "--config=") && !strings.HasPrefix(arg, "--database-") &&
			!strings.HasPrefix(arg, "--signing-key-file=")
	})
}

// Log returns the server's log so far.
func (s *Server) Log() string {
	if s.nodes == nil {
		return s.log.String()
	}
	var all strings.Builder
	for _, node := range s.nodes {
		all.WriteString(node.Log())
	}
	return all.String()
}

// Token returns a token from the outside issuer. The person's account is created at the first
// connect; drivers have the class "standard".
func (s *Server) Token(role ride.Role, name string) string {
	claims := jwt.MapClaims{
		"iss": Issuer, "aud": Audience, "sub": name, "role": string(role), "name": name, "preferred_username": name,
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	}
	if role == ride.RoleDriver {
		claims["vehicle_class"], claims["plate"] = "standard", "HX "+name
	}
	return s.Sign(claims)
}

// Sign signs any claims as the outside issuer.
func (s *Server) Sign(claims jwt.MapClaims) string {
	t, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(Secret))
	if err != nil {
		s.tb.Fatal(err)
	}
	return t
}

// Call makes an HTTP request to the server, with a token unless that is empty, and
// returns the status and the body.
func (s *Server) Call(method, path, token, body string) (int, string) {
	s.tb.Helper()
	req, err := http.NewRequest(method, s.HTTP+path, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Close = s.nodes != nil // the next call goes to the next node
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// Readiness is the server's answer at /readyz.
type Readiness struct{ Status, Cause, Message string }

// Ready asks the server's /readyz and also returns the HTTP status. Of a cluster it is the answer of the
// first node that is not ready, if there is one.
func (s *Server) Ready() (int, Readiness) {
	s.tb.Helper()
	for _, node := range s.nodes {
		if code, r := node.Ready(); code != http.StatusOK {
			return code, r
		}
	}
	resp, err := http.Get(s.Ops + "/readyz")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer resp.Body.Close()
	var r Readiness
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		s.tb.Fatal(err)
	}
	return resp.StatusCode, r
}

// Buffer is a bytes.Buffer that several goroutines write and read, such as the log of a
// server that runs.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
