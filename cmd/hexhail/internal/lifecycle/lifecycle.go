// Package lifecycle starts the services of one process in order, waits for a reason to stop, and
// stops them in reverse order within a bounded time.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"
)

// ErrForced means that a second signal cut the shutdown short.
var ErrForced = errors.New("forced to exit before everything was written down")

var errAbandoned = errors.New("still busy when the time was up")

// Service is one part of the process. Start and Stop are each called at most once,
// by Run, never at the same time; Stop only after Start has returned nil.
type Service struct {
	// Name is for messages.
	Name string
	// Start brings the service up and returns; the service owns the goroutines that keep running.
	// The context ends if the process is told to stop meanwhile, and once Start has returned, so it
	// must not outlive the call.
	Start func(ctx context.Context) error
	// Stop stops the service: it accepts nothing new, finishes and stores what it has, and returns
	// when its goroutines have ended. If the context ends first, it gives up and returns.
	Stop func(ctx context.Context) error
	// Failed receives an error if the service cannot continue, which stops the process. Nil: it
	// does not fail once started.
	Failed <-chan error
}

// Options configure Run.
type Options struct {
	Log *slog.Logger
	// Grace bounds the time from the first signal to the return of Run.
	Grace time.Duration
	// Signals stops the process: the first signal gracefully, the second at once.
	Signals <-chan os.Signal
	// Started is called when all services are up.
	Started func(ctx context.Context)
	// Stopping is called before the first service is stopped; /readyz turns unready there.
	Stopping func()
}

// Run starts the services, waits for a signal, the context's end or a failure, and stops them in
// reverse order. It returns nil if it was told to stop and every service stopped cleanly. Services
// that do not stop in time, or that a second signal cuts short, are abandoned: the process should
// then exit.
func Run(ctx context.Context, o Options, services ...Service) error {
	if err := complete(services); err != nil {
		return err
	}
	run, end := context.WithCancel(ctx)
	defer end()
	result := make(chan error, 1)
	go func() { result <- work(ctx, run, o, services) }()
	for told := false; ; {
		select {
		case err := <-result:
			return err
		case sig := <-o.Signals:
			if told {
				o.Log.Warn("second signal: exiting at once", "signal", sig.String())
				return ErrForced
			}
			told = true
			o.Log.Info("shutting down; a second signal exits at once", "signal", sig.String(), "grace", o.Grace)
			end()
		}
	}
}

// work runs the services from start to stop. It begins to stop them when run ends; ctx is run's
// parent.
func work(ctx, run context.Context, o Options, services []Service) error {
	started, err := start(run, o.Log, services)
	if err == nil && !ended(run) {
		if o.Started != nil {
			o.Started(run)
		}
		err = wait(run, services)
	}
	if o.Stopping != nil {
		o.Stopping()
	}
	return errors.Join(err, stop(ctx, o, started))
}

// complete reports incomplete services: better no server than half of one.
func complete(services []Service) error {
	for i, s := range services {
		if s.Name == "" || s.Start == nil || s.Stop == nil {
			return fmt.Errorf("service %d (%q) lacks a name, a Start or a Stop", i, s.Name)
		}
	}
	return nil
}

// start starts services until one fails or run ends, and returns those that are up.
func start(run context.Context, log *slog.Logger, services []Service) (started []Service, err error) {
	for _, s := range services {
		if ended(run) {
			break
		}
		ctx, cancel := context.WithCancel(run)
		begun := time.Now()
		err := s.Start(ctx)
		cancel()
		if ended(run) && errors.Is(err, context.Canceled) {
			break // it was told to stop, and did
		}
		if err != nil {
			return started, fmt.Errorf("start %s: %w", s.Name, err)
		}
		log.Debug("started", "service", s.Name, "took", time.Since(begun))
		started = append(started, s)
	}
	return started, nil
}

func ended(ctx context.Context) bool { return ctx.Err() != nil }

// wait returns nil when run ends, or the error of the first service that fails.
func wait(run context.Context, services []Service) error {
	ctx, cancel := context.WithCancel(run)
	defer cancel()
	failures := make(chan error, len(services))
	for _, s := range services {
		if s.Failed == nil {
			continue
		}
		go func() {
			select {
			case err := <-s.Failed:
				failures <- fmt.Errorf("%s failed: %w", s.Name, err)
			case <-ctx.Done():
			}
		}()
	}
	select {
	case err := <-failures:
		return err
	case <-run.Done():
		return nil
	}
}

// stop stops the services in reverse order. Unused time is left to the others; half of the grace
// period is reserved in equal shares, so that a hanging service does not keep the store from
// writing.
func stop(ctx context.Context, o Options, started []Service) error {
	end := time.Now().Add(o.Grace)
	reserve := o.Grace / time.Duration(2*max(len(started), 1))
	var errs []error
	for i, s := range slices.Backward(started) {
		begun := time.Now()
		hard := end.Add(-reserve * time.Duration(i))
		// Not derived from run, which has ended: stopping still gets its time.
		if err := stopOne(context.WithoutCancel(ctx), s, hard.Add(-reserve/4), hard); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.Name, err))
		}
		o.Log.Debug("stopped", "service", s.Name, "took", time.Since(begun))
	}
	return errors.Join(errs...)
}

// stopOne asks a service to stop, tells it to give up at soft, and abandons it at hard.
func stopOne(ctx context.Context, s Service, soft, hard time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, soft)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Stop(ctx) }()
	giveUp := time.NewTimer(time.Until(hard))
	defer giveUp.Stop()
	select {
	case err := <-done:
		return err
	case <-giveUp.C:
		return errAbandoned
	}
}
