package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errBroken = errors.New("broken")

// diary records what happens to services, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, s)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) service(name string) Service {
	return Service{
		Name:  name,
		Start: func(context.Context) error { d.add("start " + name); return nil },
		Stop:  func(context.Context) error { d.add("stop " + name); return nil },
	}
}

func (d *diary) options(signals <-chan os.Signal) Options {
	return Options{
		Log: slog.New(slog.DiscardHandler), Grace: 20 * time.Second, Signals: signals,
		Started:  func(context.Context) { d.add("started") },
		Stopping: func() { d.add("stopping") },
	}
}

func TestServicesStopInTheOppositeOrderOfTheirStart(t *testing.T) {
	var d diary
	signals := make(chan os.Signal, 1)
	o := d.options(signals)
	o.Started = func(context.Context) { d.add("started"); signals <- syscall.SIGTERM }
	require.NoError(t, Run(t.Context(), o, d.service("store"), d.service("actors"), d.service("sockets")))
	require.Equal(t, []string{
		"start store", "start actors", "start sockets", "started", "stopping", "stop sockets", "stop actors", "stop store",
	}, d.read())
}

func TestContextEndsTheRunToo(t *testing.T) {
	var d diary
	ctx, cancel := context.WithCancel(t.Context())
	o := d.options(nil)
	o.Started = func(context.Context) { cancel() }
	require.NoError(t, Run(ctx, o, d.service("store")))
	require.Equal(t, []string{"start store", "stopping", "stop store"}, d.read())
}

func TestFailedStartStopsWhatWasStarted(t *testing.T) {
	var d diary
	bad := d.service("actors")
	bad.Start = func(context.Context) error { return errBroken }
	err := Run(t.Context(), d.options(nil), d.service("store"), bad, d.service("sockets"))
	require.ErrorIs(t, err, errBroken)
	require.ErrorContains(t, err, "start actors")
	require.Equal(t, []string{"start store", "stopping", "stop store"}, d.read())
}

func TestSignalDuringStart(t *testing.T) {
	var d diary
	signals := make(chan os.Signal, 1)
	slow := d.service("store")
	slow.Start = func(ctx context.Context) error {
		signals <- syscall.SIGINT
		<-ctx.Done()
		return ctx.Err()
	}
	require.NoError(t, Run(t.Context(), d.options(signals), slow, d.service("sockets")))
	require.Equal(t, []string{"stopping"}, d.read())
}

func TestFailureEndsEverything(t *testing.T) {
	var d diary
	failed := make(chan error, 1)
	weak := d.service("sockets")
	weak.Failed = failed
	o := d.options(nil)
	o.Started = func(context.Context) { failed <- errBroken }
	strong := d.service("store")
	strong.Failed = make(chan error)
	err := Run(t.Context(), o, strong, weak)
	require.ErrorIs(t, err, errBroken)
	require.ErrorContains(t, err, "sockets failed")
	require.Equal(t, []string{"start store", "start sockets", "stopping", "stop sockets", "stop store"}, d.read())
}

func TestErrorsOfStopAreReportedAndStopNobodyElse(t *testing.T) {
	var d diary
	bad := d.service("sockets")
	bad.Stop = func(context.Context) error { return errBroken }
	o := d.options(nil)
	ctx, cancel := context.WithCancel(t.Context())
	o.Started = func(context.Context) { cancel() }
	err := Run(ctx, o, d.service("store"), bad)
	require.ErrorContains(t, err, "stop sockets: broken")
	require.Contains(t, d.read(), "stop store")
}

func TestHangingServiceLeavesTimeForTheStoreAndTheWholeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var left time.Duration
		release := make(chan struct{})
		store := d.service("store")
		store.Stop = func(ctx context.Context) error {
			end, _ := ctx.Deadline()
			left = time.Until(end)
			return nil
		}
		hung := d.service("sockets")
		hung.Stop = func(context.Context) error { <-release; return nil }
		slow := d.service("actors")
		slow.Stop = func(ctx context.Context) error { <-ctx.Done(); d.add("actors gave up"); return ctx.Err() }

		o := d.options(nil)
		ctx, cancel := context.WithCancel(t.Context())
		o.Started = func(context.Context) { cancel() }
		begun := time.Now()
		err := Run(ctx, o, store, slow, hung)
		require.ErrorContains(t, err, "stop sockets: still busy")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(begun), o.Grace)
		require.GreaterOrEqual(t, left, 2*time.Second)
		require.Contains(t, d.read(), "actors gave up")
		close(release)
	})
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		signals := make(chan os.Signal, 1)
		release := make(chan struct{})
		hung := d.service("sockets")
		hung.Stop = func(context.Context) error { signals <- syscall.SIGTERM; <-release; return nil }
		o := d.options(signals)
		o.Started = func(context.Context) { signals <- syscall.SIGTERM }
		begun := time.Now()
		require.ErrorIs(t, Run(t.Context(), o, hung), ErrForced)
		require.Zero(t, time.Since(begun))
		close(release)
	})
}

func TestHalfAServiceIsRefusedBeforeAnythingStarts(t *testing.T) {
	var d diary
	require.Error(t, Run(t.Context(), d.options(nil), d.service("store"), Service{Name: "sockets"}))
	require.Empty(t, d.read())
}
