package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/status"

	"github.com/hexhail/hexhail/actors/cluster/membership"
)

// Reports receives what the registry finds out. All calls come from one goroutine, one after another,
// and must not block for long: meanwhile no lease is renewed. They must not call Close.
type Reports interface {
	// Listed brings all members that were registered at some moment after asked. The answer is whether
	// this process, if it is joining, becomes a member.
	Listed(asked time.Time, members []membership.Member) (join bool)
	// ListFailed says that there is no listing this time.
	ListFailed(err error)
	// LeaseGranted says that this process is registered, for the first time or again.
	LeaseGranted()
	// LeaseLost says that its key is gone. The answer is whether to register again.
	LeaseLost() bool
}

// ErrNotRegistered says that a process has no key yet.
var ErrNotRegistered = errors.New("not registered in etcd yet")

// idleTime is after how long without an answer a connection is probed, and probeTimeout how long it
// may take. etcd closes connections that probe more often than every 5 s.
const (
	idleTime     = 6 * time.Second
	probeTimeout = 2 * time.Second
)

// Registry keeps one process registered. Start makes it and Close ends it; its other methods are safe
// for concurrent use in between. One goroutine owns the client, the lease and the key.
type Registry struct {
	config Config
	to     Reports
	call   time.Duration // bound of each call of etcd

	cancel context.CancelFunc
	done   chan struct{}
	marks  chan chan error // asks for the leaving mark

	mu     sync.Mutex
	status error

	// The fields below belong to the goroutine.

	self    membership.Member
	client  *clientv3.Client
	lease   clientv3.LeaseID // 0: none
	renewed time.Time        // when the lease was last known to be good
	refused bool             // the judge does not want to register again
	cause   string           // why etcd's latest call failed; empty: it did not
	odd     int              // keys of the latest listing that could not be read
}

// Start registers a process, as soon as etcd answers, and reports what it finds. It returns without
// waiting; errors are those of the configuration.
func Start(c Config, self membership.Member, to Reports) (*Registry, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if _, err := c.tls(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Registry{
		config: c, to: to, call: c.Limits.Lease / 4,
		cancel: cancel, done: make(chan struct{}), marks: make(chan chan error),
		status: ErrNotRegistered, self: self,
	}
	go r.run(ctx)
	return r, nil
}

// Status returns nil while this process is registered and listings succeed, and otherwise why not.
func (r *Registry) Status() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Leave marks the key as leaving, so that other members take over at once.
func (r *Registry) Leave(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case r.marks <- answer:
	case <-r.done:
		return ErrNotRegistered
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close deletes the key, if etcd answers within a quarter of the lease, and ends the goroutine. It
// may be called more than once.
func (r *Registry) Close() {
	r.cancel()
	<-r.done
}

func (r *Registry) run(ctx context.Context) {
	defer close(r.done)
	defer r.end()
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case answer := <-r.marks:
			answer <- r.mark(ctx)
		case <-next.C:
			begun := time.Now()
			err := r.step(ctx)
			if ctx.Err() != nil {
				return
			}
			r.note(err)
			next.Reset(max(0, r.config.Limits.List-time.Since(begun)))
		}
	}
}

// note keeps the status, and logs when it begins or ends to be bad.
func (r *Registry) note(err error) {
	r.mu.Lock()
	was := r.status
	r.status = err
	r.mu.Unlock()
	switch {
	case err == nil && was != nil:
		r.config.Log.Info("registered in etcd", "member", r.self.ID.String())
	case err != nil && !errors.Is(err, ErrNotRegistered) && (was == nil || errors.Is(was, ErrNotRegistered)):
		r.config.Log.Warn("not registered in etcd, or without a listing", "error", err)
	}
	if err != nil {
		r.to.ListFailed(err)
	}
}

// step does what is due: register, renew the lease, list. A renewal that fails does not keep it from
// listing, because another endpoint may answer.
func (r *Registry) step(ctx context.Context) error {
	if err := r.connect(); err != nil {
		return err
	}
	if r.lease == 0 && !r.refused {
		if err := r.register(ctx); err != nil {
			return err
		}
	}
	var renewal error
	if r.lease != 0 && time.Since(r.renewed) >= r.config.Limits.KeepAlive {
		renewal = r.renew(ctx)
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	if r.lease == 0 {
		return ErrNotRegistered
	}
	return renewal
}

// connect makes the client. It does not wait for a connection, except with a password.
func (r *Registry) connect() error {
	if r.client != nil {
		return nil
	}
	encryption, err := r.config.tls()
	if err != nil {
		return err
	}
	// gRPC waits up to two minutes between attempts to connect; a cluster that is to be whole
	// again soon after etcd is back cannot.
	again := backoff.DefaultConfig
	again.BaseDelay, again.MaxDelay = r.config.Limits.List/2, r.config.Limits.List*2
	r.client, err = clientv3.New(clientv3.Config{
		Endpoints: r.config.urls(), TLS: encryption, Username: r.config.Username, Password: r.config.Password,
		DialTimeout: r.call, DialKeepAliveTime: idleTime, DialKeepAliveTimeout: probeTimeout,
		DialOptions: []grpc.DialOption{
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: 2 * r.call}),
			grpc.WithChainUnaryInterceptor(r.remember),
		},
		Logger: zap.NewNop(), // it logs every retry; what matters is returned
	})
	if err != nil {
		r.client = nil
		return r.failed("log in", err)
	}
	return nil
}

// remember keeps why a call failed, which the client replaces by the end of its context.
func (r *Registry) remember(ctx context.Context, method string, req, reply any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, c, opts...)
	r.cause = status.Convert(err).Message()
	return err
}

func (r *Registry) register(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.call)
	defer cancel()
	asked := time.Now()
	lease, err := r.client.Grant(ctx, int64(r.config.Limits.Lease/time.Second))
	if err != nil {
		return r.failed("get a lease", err)
	}
	if err := r.put(ctx, lease.ID); err != nil {
		return err // without renewals the lease ends by itself
	}
	r.lease, r.renewed = lease.ID, asked
	r.to.LeaseGranted()
	return nil
}

func (r *Registry) put(ctx context.Context, lease clientv3.LeaseID) error {
	value, err := json.Marshal(r.self)
	if err != nil {
		return fmt.Errorf("registry: encode the member: %w", err)
	}
	if _, err := r.client.Put(ctx, r.key(), string(value), clientv3.WithLease(lease)); err != nil {
		return r.failed("register", err)
	}
	return nil
}

// renew keeps the lease alive. That etcd does not know it any more shows in the listing.
func (r *Registry) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.call)
	defer cancel()
	asked := time.Now()
	if _, err := r.client.KeepAliveOnce(ctx, r.lease); err != nil {
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return nil
		}
		return r.failed("renew the lease", err)
	}
	r.renewed = asked
	return nil
}

func (r *Registry) list(ctx context.Context) error {
	asked := time.Now()
	listing, err := r.read(ctx)
	if err != nil {
		return err
	}
	members, odd := make([]membership.Member, 0, len(listing.Kvs)), 0
	present := false
	for _, kv := range listing.Kvs {
		var m membership.Member
		if err := json.Unmarshal(kv.Value, &m); err != nil || m.Node == "" || m.Address == "" {
			odd++
			continue
		}
		if m.Joined == 0 {
			m.Joined = kv.CreateRevision
		}
		if string(kv.Key) == r.key() {
			present = true
			r.self.Joined = m.Joined
			r.self.Joining = r.self.Joining && m.Joining
		}
		members = append(members, m)
	}
	if odd != r.odd {
		r.odd = odd
		r.config.Log.Warn("the registry holds keys that are no members", "keys", odd, "prefix", r.prefix())
	}
	if !present && r.lease != 0 {
		r.lease = 0
		r.refused = !r.to.LeaseLost()
		if !r.refused {
			if err := r.register(ctx); err != nil {
				return err
			}
		}
	}
	if r.to.Listed(asked, members) && r.self.Joining && r.lease != 0 {
		return r.join(ctx)
	}
	return nil
}

// join writes the key again, as that of a member, and lists once more.
func (r *Registry) join(ctx context.Context) error {
	r.self.Joining = false
	ctx2, cancel := context.WithTimeout(ctx, r.call)
	defer cancel()
	if err := r.put(ctx2, r.lease); err != nil {
		r.self.Joining = true
		return err
	}
	return r.list(ctx)
}

func (r *Registry) read(ctx context.Context) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, r.call)
	defer cancel()
	listing, err := r.client.Get(ctx, r.prefix(), clientv3.WithPrefix())
	if err != nil {
		return nil, r.failed("list the members", err)
	}
	return listing, nil
}

// mark writes the key again, with the leaving mark.
func (r *Registry) mark(ctx context.Context) error {
	r.self.Leaving = true
	if r.lease == 0 {
		return nil // others have already dropped it, or will see the mark with the next lease
	}
	ctx, cancel := context.WithTimeout(ctx, r.call)
	defer cancel()
	return r.put(ctx, r.lease)
}

// end deletes the key together with its lease.
func (r *Registry) end() {
	if r.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.call)
	defer cancel()
	if r.lease != 0 {
		if _, err := r.client.Revoke(ctx, r.lease); err != nil {
			r.config.Log.Warn("the key in etcd stays until its lease ends", "error", r.failed("delete the key", err))
		}
	}
	if err := r.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		r.config.Log.Warn("the client of etcd did not close", "error", err)
	}
}

// failed wraps an error of etcd with what was tried and where.
func (r *Registry) failed(what string, err error) error {
	where := strings.Join(r.config.Endpoints, ", ")
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: etcd at %s: %w", what, where, err)
	}
	text := "etcd at " + where + " does not answer"
	for _, useful := range []string{"dial ", "authentication handshake"} { // the rest is about gRPC itself
		if i := strings.Index(r.cause, useful); i >= 0 {
			text += ": " + strings.TrimSuffix(r.cause[i:], `"`)
			break
		}
	}
	return &unanswered{text, err}
}

// unanswered is an error for operators, who gain nothing from the name of a context's end.
type unanswered struct {
	text string
	err  error
}

func (u *unanswered) Error() string { return u.text }
func (u *unanswered) Unwrap() error { return u.err }

func (r *Registry) prefix() string { return r.config.Prefix + "members/" }

// key is this process's; names are escaped because they may hold slashes.
func (r *Registry) key() string {
	return r.prefix() + url.PathEscape(r.self.Node) + "/" + url.PathEscape(r.self.Incarnation)
}
