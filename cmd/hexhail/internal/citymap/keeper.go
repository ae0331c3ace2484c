package citymap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo/streets"
)

// Options say where a server's map is from. City and Log are required.
type Options struct {
	// File is a map or an extract; empty: BuiltIn.
	File string
	// BuiltIn gives the map of a program that brings its own; nil with an empty File: there is no map.
	BuiltIn func(ctx context.Context) (*streets.Map, error)
	// Dir is where maps built of extracts are kept. Nothing else may be in it.
	Dir string
	// Builder is the program and its version.
	Builder string
	// City gets the map.
	City *streets.City
	Log  *slog.Logger
	// Changed hears of a new map that is in use, from the goroutine that put it in place; nil: no one does.
	Changed func()
	// Building hears the progress of a build in per cent, at a start only; nil: no one does.
	Building func(percent int)
}

// What else can be wrong with a reload.
var (
	// ErrNoFile means that this server has no file to read again.
	ErrNoFile = errors.New("this server was started without --streets, so it has no map to load again")
	// ErrBusy means that a reload is under way.
	ErrBusy = errors.New("the map is being loaded already")
	// ErrStopped means that the server stops, or has not started.
	ErrStopped = errors.New("this server is starting or stopping")
)

// Keeper keeps the map of one server. Start and Stop are called once each; the other methods are safe for
// concurrent use.
type Keeper struct {
	o Options

	mu      sync.Mutex
	life    context.Context // ends with Stop; nil before Start has returned
	end     context.CancelFunc
	running sync.WaitGroup // the reload under way
	state   State
}

// State is what is known of the map.
type State struct {
	LoadedAt time.Time // of the map in use; zero: there is none
	Took     time.Duration
	// Loading is a reload under way, Percent how far it has got as far as that is known.
	Loading bool
	Percent int
	// Failure is the sentence of the last reload, if it failed, and FailedAt when.
	Failure         string
	FailedAt        time.Time
	Loads, Failures int64
}

// New makes a keeper that has read nothing yet.
func New(o Options) *Keeper {
	if o.Building == nil {
		o.Building = func(int) {}
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	return &Keeper{o: o}
}

// Start reads the map, or builds it, for as long as the context allows.
func (k *Keeper) Start(ctx context.Context) error {
	if k.o.File != "" || k.o.BuiltIn != nil {
		if _, err := k.load(ctx); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	k.o.Building = func(int) {} // readiness is about the start
	return nil
}

// Stop ends a reload under way and waits for its end. The map stays.
func (k *Keeper) Stop(context.Context) error {
	k.mu.Lock()
	if k.end != nil {
		k.end()
	}
	k.mu.Unlock()
	k.running.Wait()
	return nil
}

// State returns what is known now.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// Reload reads the file again and puts the new map in the place of the old one; changed is false if it is
// the same. If it fails, the old one stays. A reload goes on when the context ends before it does;
// Reload then returns the context's error. Other errors wrap ErrNoFile, ErrBusy or ErrStopped, or say
// what is wrong with the file.
func (k *Keeper) Reload(ctx context.Context) (changed bool, err error) {
	if err := k.enter(); err != nil {
		return false, err
	}
	type result struct {
		changed bool
		err     error
	}
	done := make(chan result, 1)
	go func() {
		defer k.running.Done()
		changed, err := k.load(k.life)
		if err != nil {
			k.o.Log.Warn("the map of the streets was not loaded again; the one before stays", "error", err)
		}
		k.mu.Lock()
		k.state.Loading = false
		k.mu.Unlock()
		done <- result{changed, err}
	}()
	select {
	case r := <-done:
		return r.changed, r.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// enter begins a reload, of which there is one at a time.
func (k *Keeper) enter() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.o.File == "":
		return ErrNoFile
	case k.life == nil || k.life.Err() != nil:
		return ErrStopped
	case k.state.Loading:
		return ErrBusy
	}
	k.state.Loading, k.state.Percent = true, 0
	k.running.Add(1)
	return nil
}

// load reads the map and puts it in place. One call runs at a time: that of Start, or that of a reload.
func (k *Keeper) load(ctx context.Context) (changed bool, err error) {
	begun := time.Now()
	m, err := k.prepared(ctx)
	if err != nil {
		k.update(func(s *State) {
			s.Failures++
			s.Failure, s.FailedAt = err.Error(), time.Now()
		})
		return false, err
	}
	before := k.o.City.Map()
	if changed = before == nil || before.ID() != m.ID(); changed {
		k.o.City.Swap(m)
	}
	took := time.Since(begun)
	k.update(func(s *State) {
		s.Loads++
		s.Failure, s.FailedAt = "", time.Time{}
		s.LoadedAt, s.Took = time.Now(), took
	})
	if !changed {
		k.o.Log.Info("the map of the streets has not changed", "map", m.ID())
		return false, nil
	}
	k.o.Log.Info("routes follow streets", "map", m.ID(), "extract", m.Meta().Source, "took", took.Round(time.Millisecond))
	k.o.Changed()
	return true, nil
}

func (k *Keeper) update(with func(*State)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	with(&k.state)
}

// prepared reads the map and makes what it searches and draws with, so that no request waits for that. A
// strange file that makes this panic is one that cannot be used.
func (k *Keeper) prepared(ctx context.Context) (m *streets.Map, err error) {
	defer func() {
		if r := recover(); r != nil {
			k.o.Log.Error("reading the map of the streets panicked", "panic", r, "stack", string(debug.Stack()))
			m, err = nil, fmt.Errorf("%s: %w", k.o.File, errPanic)
		}
	}()
	if m, err = k.read(ctx); err != nil {
		return nil, err
	}
	m.PrepareSearch()
	m.PrepareTiles()
	return m, nil
}

var errPanic = errors.New("reading it failed, by a fault of Hexhail; the log has the details")

// logEvery is the interval of the log's lines about a build.
const logEvery = 10 * time.Second

// progress returns what hears of one build.
func (k *Keeper) progress() streets.Progress {
	steps, first, shown, logged := streets.Steps(), -1, -1, time.Now()
	return func(now string, done, total int64) {
		at := slices.Index(steps, now)
		if first < 0 {
			first = at
		}
		percent := 0
		if total > 0 {
			percent = int(min(100, done*100/total))
		}
		percent = min(100, ((at-first)*100+percent)/(len(steps)-first))
		if percent <= shown {
			return
		}
		shown = percent
		k.mu.Lock()
		k.state.Percent = percent
		k.mu.Unlock()
		k.o.Building(percent)
		if time.Since(logged) >= logEvery {
			logged = time.Now()
			k.o.Log.Info("building the map", "step", now, "percent", percent)
		}
	}
}
