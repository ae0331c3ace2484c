package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ErrServer means that the server did not start, or exited on its own.
var ErrServer = errors.New("the server is not running")

// The bounds of a server's start and stop.
const (
	startWithin = time.Minute
	stopWithin  = time.Minute
)

// program is how the server is started, the same way each time.
type program struct {
	line []string // its command line
	env  []string
	log  *os.File // its standard error
}

// child is one run of the server.
type child struct {
	process *os.Process
	socket  string // URL
	ops     string // host:port of the operations listener
	exited  chan struct{}
	err     error // how it exited; valid once exited is closed
}

// start starts the server and waits until it reports that it is ready.
func (p *program) start(ctx context.Context) (*child, error) {
	c := &child{exited: make(chan struct{})}
	type begun struct {
		out io.Reader
		err error
	}
	started := make(chan begun, 1)
	go func() {
		// The child dies with this thread (see detached), which must therefore live as long as the
		// child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.exited)
		cmd := exec.Command(p.line[0], p.line[1:]...) //nolint:noctx // it outlives any context and is always waited for
		cmd.Env, cmd.Stderr, cmd.SysProcAttr = p.env, p.log, detached()
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			started <- begun{err: err}
			return
		}
		c.process = cmd.Process
		started <- begun{out: out}
		c.err = cmd.Wait()
	}()
	b := <-started
	if b.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServer, b.err)
	}
	ready := make(chan error, 1)
	go func() {
		var err error
		c.socket, c.ops, err = readAddresses(b.out)
		ready <- err
		_, _ = io.Copy(io.Discard, b.out) // it may print more, and must not block
	}()
	late := time.NewTimer(startWithin)
	defer late.Stop()
	var err error
	select {
	case err = <-ready:
	case <-late.C:
		err = fmt.Errorf("it was not ready after %s", startWithin)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.kill()
		return nil, fmt.Errorf("%w: %w; its log is %s", ErrServer, err, p.log.Name())
	}
	return c, nil
}

// lastWords is the last line that the server has written to its log, where it says why it exits.
func (p *program) lastWords() string {
	const most = 4 << 10
	end, err := p.log.Seek(0, io.SeekEnd)
	if err != nil {
		return err.Error()
	}
	from := max(end-most, 0)
	text := make([]byte, end-from)
	if _, err := p.log.ReadAt(text, from); err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// readAddresses reads the addresses from what serve prints when it is ready.
func readAddresses(r io.Reader) (socket, ops string, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 2:
		case f[0] == "sockets":
			socket = f[len(f)-1]
		case f[0] == "operations" && socket != "":
			return socket, strings.TrimPrefix(f[len(f)-1], "http://"), nil
		}
	}
	return "", "", errors.Join(errors.New("it exited before it was ready"), lines.Err())
}

// kill kills the server like kill -9 and waits until it is gone.
func (c *child) kill() {
	_ = c.process.Kill() // it may be gone
	<-c.exited
}

// stop shuts the server down gracefully.
func (c *child) stop() error {
	_ = c.process.Signal(syscall.SIGTERM) // it may be gone
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case <-c.exited:
		return c.err
	case <-late.C:
		c.kill()
		return fmt.Errorf("it did not exit within %s of SIGTERM", stopWithin)
	}
}

// gone reports whether the server has exited.
func (c *child) gone() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// exitCode is how the server has exited; -1 if a signal ended it.
func (c *child) exitCode() int {
	<-c.exited
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return 0
	case errors.As(c.err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// freePort finds a port that is unused and outside the ephemeral range, so that it stays free while
// the server is down.
func freePort() (int, error) {
	const low, high, tries = 15_000, 32_000, 100
	var last error
	for range tries {
		port := low + rand.IntN(high-low)
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no free port: %w", last)
}

// ownEnvironment is the environment without Hexhail's settings, which are meant for the user's
// server, not for this one.
func ownEnvironment(more ...string) []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HEXHAIL_") {
			out = append(out, v)
		}
	}
	return append(out, more...)
}
