// Package etcdtest gives tests an etcd of their own. It is for tests only: nothing that ships imports
// it.
//
// A server is made with the installed etcd and taken down when its test ends, or when the test's
// process does, however that ends. The server of Start is made once for each test binary.
package etcdtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// patience is how long a server may take to answer after its start.
const patience = 60 * time.Second

// tries is how often a start is tried: a port that was free may be taken since.
const tries = 4

// Server is a throw-away etcd of one node on the loopback interface.
type Server struct {
	url, client string             // for clients; client is host:port
	files       *transport.TLSInfo // nil: no encryption
	args        []string
	data        string // its directory
	own         string // a directory to remove with the server; empty: none

	server   *exec.Cmd
	ended    chan struct{} // closed when the server has ended
	dog      *exec.Cmd     // kills the server when watchdog is closed, as by our end
	watchdog *os.File
}

// shared is the server of this process.
var shared struct {
	once   sync.Once
	server *Server // kept, for its watchdog's file must stay open
	err    error
}

// Start returns the URL of an unused prefix in the etcd that all tests of this process share. If etcd is
// not installed the test is skipped, or fails when HEXHAIL_REQUIRE_ALL is 1.
func Start(tb testing.TB) string {
	tb.Helper()
	bin := find(tb)
	shared.once.Do(func() { shared.server, shared.err = startShared(bin) })
	if shared.err != nil {
		tb.Fatalf("start etcd: %v", shared.err)
	}
	return "etcd://" + shared.server.Endpoint() + "/t-" + strings.ToLower(rand.Text())
}

// startShared starts a server in a folder that its watchdog removes.
func startShared(bin string) (s *Server, err error) {
	for range tries {
		var dir string
		if dir, err = os.MkdirTemp("", "hexhail-etcd-"); err != nil {
			return nil, err
		}
		if s, err = start(bin, dir, dir, nil); err == nil {
			return s, nil
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return nil, err
}

// New starts a server for one test. If etcd is not installed the test is skipped, or fails when
// HEXHAIL_REQUIRE_ALL is 1.
func New(tb testing.TB) *Server {
	tb.Helper()
	return newServer(tb, nil)
}

func newServer(tb testing.TB, files *transport.TLSInfo) *Server {
	tb.Helper()
	bin := find(tb)
	for try := 1; ; try++ {
		s, err := start(bin, tb.TempDir(), "", files)
		if err == nil {
			tb.Cleanup(s.kill)
			return s
		}
		if try == tries {
			tb.Fatalf("start etcd: %v", err)
		}
	}
}

// find returns the installed etcd, or ends a test that cannot have one.
func find(tb testing.TB) string {
	tb.Helper()
	bin, err := exec.LookPath("etcd")
	switch {
	case err == nil:
	case os.Getenv("HEXHAIL_REQUIRE_ALL") == "1":
		tb.Fatalf("etcd is required here: %v", err)
	default:
		tb.Skipf("no etcd: %v", err)
	}
	return bin
}

// Endpoint is host and port for clients.
func (s *Server) Endpoint() string { return s.client }

func start(bin, dir, own string, files *transport.TLSInfo) (*Server, error) {
	client, err1 := freePort()
	peers, err2 := freePort()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s := &Server{url: "http://" + client, client: client, files: files, own: own, data: filepath.Join(dir, "data")}
	s.args = []string{
		bin, "--data-dir", s.data, "--log-outputs", "stderr", "--logger", "zap", "--log-level", "error",
		"--listen-peer-urls", "http://" + peers, "--initial-advertise-peer-urls", "http://" + peers,
		"--heartbeat-interval", "10", "--election-timeout", "100", // it elects itself sooner
		"--initial-cluster", "default=http://" + peers,
	}
	if files != nil {
		s.url = "https://" + client
		s.args = append(s.args, "--cert-file", files.CertFile, "--key-file", files.KeyFile, "--trusted-ca-file", files.TrustedCAFile, "--client-cert-auth")
	}
	s.args = append(s.args, "--listen-client-urls", s.url, "--advertise-client-urls", s.url)
	return s, s.resume()
}

// freePort returns an address that was free a moment ago; etcd cannot choose one itself.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Resume starts a server that was ended, on the same port and data, and waits until it answers. Another process
// may have that port for a while.
func (s *Server) Resume() (err error) {
	for range 30 {
		if err = s.resume(); err == nil || !strings.Contains(err.Error(), "address already in use") {
			return err
		}
		time.Sleep(time.Second) // nothing says when another process gives a port back
	}
	return err
}

func (s *Server) resume() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // the shell has its own
	output := new(bytes.Buffer)
	s.server, s.watchdog, s.ended = exec.Command(s.args[0], s.args[1:]...), w, make(chan struct{})
	s.server.Stdout, s.server.Stderr = output, output
	if err := s.server.Start(); err != nil {
		return errors.Join(err, w.Close())
	}
	server, ended := s.server, s.ended // the next Resume sets others
	go func() {
		_ = server.Wait() // it is killed
		close(ended)
	}()
	// A server that has just been killed may still write.
	s.dog = exec.Command("/bin/sh", "-c", `cat >/dev/null; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || rm -rf "$2" || { sleep 1; rm -rf "$2"; }`,
		"sh", strconv.Itoa(s.server.Process.Pid), s.own)
	s.dog.Stdin = r
	if err := s.dog.Start(); err != nil {
		return errors.Join(err, s.server.Process.Kill())
	}
	if err := s.answers(); err != nil {
		_ = s.Crash()
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// answers waits until the server does.
func (s *Server) answers() error {
	c, err := s.Client()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ended := s.ended // the next Resume sets another
	go func() {
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	_, err = c.Get(ctx, "ready")
	return err
}

// Crash ends the server at once, as a loss of power would end its process.
func (s *Server) Crash() error {
	// The dog first: later the server's pid may be another process's.
	if err := s.dog.Process.Kill(); err != nil {
		return err
	}
	_ = s.dog.Wait() // it is killed
	err := s.server.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-s.ended
	return errors.Join(err, s.watchdog.Close())
}

// Forget deletes the data of a server that was ended: Resume starts an empty one.
func (s *Server) Forget() error { return os.RemoveAll(s.data) }

func (s *Server) kill() {
	select {
	case <-s.ended:
	default:
		_ = s.Crash()
	}
}

// Client returns a client, which the caller closes.
func (s *Server) Client() (*clientv3.Client, error) {
	c := clientv3.Config{Endpoints: []string{s.url}, Logger: zap.NewNop()}
	if s.files != nil {
		var err error
		if c.TLS, err = s.files.ClientConfig(); err != nil {
			return nil, err
		}
	}
	return clientv3.New(c)
}
