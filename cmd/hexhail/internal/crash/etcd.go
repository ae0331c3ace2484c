package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// etcd is a registry of one server, run with the program that is installed.
type etcd struct {
	client string // host:port
	args   []string
	log    *os.File
	server *exec.Cmd
	exited chan struct{}
}

// startEtcd starts an etcd with its data in a directory and waits until it answers.
func startEtcd(ctx context.Context, dir string) (*etcd, error) {
	path, err := exec.LookPath("etcd")
	if err != nil {
		return nil, fmt.Errorf("%w: etcd is not installed; install it, or name one with --etcd", ErrMissing)
	}
	var ports [2]int
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	client, peers := fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	log, err := os.OpenFile(filepath.Join(dir, "etcd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("etcd's log: %w", err)
	}
	e := &etcd{client: client, log: log, args: []string{
		path, "--data-dir", filepath.Join(dir, "etcd"), "--log-outputs", "stderr", "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", "http://" + client, "--advertise-client-urls", "http://" + client,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default=" + peers,
	}}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return e, nil
}

// start starts the server, perhaps again, and waits until it answers.
func (e *etcd) start(ctx context.Context) error {
	started := make(chan error, 1)
	e.exited = make(chan struct{})
	go func() {
		runtime.LockOSThread() // as for a child of ours
		defer runtime.UnlockOSThread()
		defer close(e.exited)
		e.server = exec.Command(e.args[0], e.args[1:]...) //nolint:noctx // it outlives any context and is always waited for
		e.server.Stdout, e.server.Stderr, e.server.SysProcAttr = e.log, e.log, detached()
		err := e.server.Start()
		started <- err
		if err == nil {
			_ = e.server.Wait() // it is killed
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	healthy := false
	until(ctx, startWithin, func() bool {
		select {
		case <-e.exited:
			return true
		default:
			healthy = e.healthy(ctx)
			return healthy
		}
	})
	if !healthy {
		e.crash()
		return fmt.Errorf("start etcd: it does not answer; its log is %s", e.log.Name())
	}
	return nil
}

func (e *etcd) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.client+"/health", nil)
	if err != nil {
		return false
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// crash ends the server like kill -9.
func (e *etcd) crash() {
	_ = e.server.Process.Kill() // it may be gone
	<-e.exited
}

// close ends the server.
func (e *etcd) close() {
	e.crash()
	_ = e.log.Close() // nothing of ours is in its buffer
}
