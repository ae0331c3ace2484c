package crash

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/city"
)

// ErrNothingProven means that a run was long enough, and yet none of its kills hit some kind of
// activity, so it proves nothing about that kind. The message names the counters.
var ErrNothingProven = errors.New("no kill hit the required activity")

// provenFrom is the number of rounds after which no counter may be zero.
const provenFrom = 20

// The time limits at the end of a run.
const (
	hurryWithin  = 5 * time.Second        // for the last trips, after an interrupt or once the verdict is clear
	readWithin   = 100 * time.Millisecond // more for each trip that is read over HTTP
	ordersWithin = 2 * time.Minute        // to look for orders of commands
)

// subject is what a proof breaks.
type subject interface {
	// sockets are the URLs of its servers' sockets.
	sockets() []string
	// rounds breaks it as often as the options say, or until ctx ends, and leaves it running. The error
	// wraps ErrServer if it does not run any more.
	rounds(ctx context.Context) error
	// failed is closed when it has ended and was not meant to.
	failed() <-chan struct{}
	// stop shuts it down gracefully.
	stop() error
	// close ends whatever still runs.
	close()
}

// proof is one run.
type proof struct {
	o       Options
	dir     string
	out     io.Writer
	subject subject
	city    *city.City
	source  *requests
	watch   *watch
	readers []*simulate.Reader // of each server
	reads   atomic.Uint64
	verdict verdict

	issuer              simulate.Issuer
	prefix              string // of all accounts
	begun               time.Time
	kills               []time.Time
	toSession, toAnswer []float64 // ms from each kill
	drained             bool
	store               persistence.Options
	cluster             *cluster // nil: one server
}

// Run kills a server repeatedly while a city uses it, and reports to out. The error wraps
// simulate.ErrBroken if a promise was broken, and ErrNothingProven if the run proves nothing. When
// ctx ends, Run judges what it has recorded so far.
func Run(ctx context.Context, o Options, out io.Writer, log *slog.Logger) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	o.Network = cmp.Or(o.Network, overProxies)
	dir, remove, err := o.place()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	issuer := simulate.Issuer{Name: "https://crash.hexhail.invalid", Audience: "hexhail-crash", Secret: []byte(rand.Text() + rand.Text())}
	p := &proof{o: o, dir: dir, out: out, watch: newWatch(), begun: time.Now(), issuer: issuer, prefix: rand.Text()[:6] + "-"}
	if err := p.start(ctx, issuer); err != nil {
		return err
	}
	defer p.subject.close()
	file := o.Record
	if file == "" {
		file = filepath.Join(dir, "history.jsonl")
	}
	if err := p.live(ctx, issuer, file, log); err != nil {
		return err
	}
	return p.judge(file)
}

// start starts what the proof breaks.
func (p *proof) start(ctx context.Context, issuer simulate.Issuer) error {
	if p.o.Nodes > 1 {
		return p.startCluster(ctx, issuer)
	}
	server, err := startSingle(ctx, p, issuer)
	if err != nil {
		return err
	}
	p.subject, p.store = server, p.o.store(p.dir, p.o.DatabaseURL)
	return nil
}

// live runs the city and kills the server, then reads every trip over HTTP and stops the server
// gracefully.
func (p *proof) live(ctx context.Context, issuer simulate.Issuer, file string, log *slog.Logger) (err error) {
	history, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	cfg, source, err := p.o.city(p.subject.sockets(), issuer, log)
	if err != nil {
		return errors.Join(err, history.Close())
	}
	cfg.Prefix, cfg.Watch, cfg.Recorder = p.prefix, p.noted, check.NewRecorder(history)
	defer func() { err = errors.Join(err, cfg.Recorder.Close(), history.Close()) }()
	for _, socket := range p.subject.sockets() {
		reader, err := simulate.NewReader(socket, issuer)
		if err != nil {
			return err
		}
		p.readers = append(p.readers, reader)
	}
	cfg.Verify, cfg.Read = verified, p.read
	p.source = source
	if p.city, err = city.New(cfg); err != nil {
		return err
	}
	p.announce()
	if err := p.killing(ctx); err != nil {
		return err
	}
	select {
	case <-p.subject.failed():
		return nil // that is part of the verdict
	default:
	}
	p.readAll()
	if err := p.subject.stop(); err != nil {
		p.verdict.add(serverLife, "the last server did not shut down cleanly: %v", err)
	}
	return nil
}

// noted follows the records as they arrive.
func (p *proof) noted(r check.Record) {
	p.watch.record(r)
	if p.cluster != nil {
		p.cluster.activations.watch(r)
	}
}

// announce prints what follows.
func (p *proof) announce() {
	if c := p.cluster; c != nil {
		faults := c.schedule.String()
		if c.draw != nil {
			faults = "for " + p.o.Duration.String()
		}
		fmt.Fprintf(p.out, "%d drivers at speed %g on %d nodes, network of %s; faults: %s\n", p.o.Drivers, p.o.Speed, len(c.nodes), p.o.Network, faults)
		return
	}
	fmt.Fprintf(p.out, "%d drivers at speed %g on %s; %d kills follow.\n", p.o.Drivers, p.o.Speed, p.o.engine(), p.o.Rounds)
}

// read reads a trip over HTTP, from one server after another.
func (p *proof) read(ctx context.Context, trip string) (check.Record, error) {
	return p.readers[p.reads.Add(1)%uint64(len(p.readers))].Read(ctx, trip)
}

// killing runs the city during the rounds, then lets its trips end.
func (p *proof) killing(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	looking, noLooks := context.WithCancel(life)
	var looks sync.WaitGroup
	for range 2 {
		looks.Go(func() { p.look(looking) })
	}
	lived := make(chan error, 1)
	go func() { lived <- p.city.Run(life) }()
	defer func() {
		noLooks()
		looks.Wait()
	}()
	until(ctx, startWithin, func() bool { return len(p.watch.known()) > 0 || len(lived) > 0 })
	if len(lived) > 0 {
		return <-lived
	}
	err := p.subject.rounds(ctx)
	switch {
	case errors.Is(err, ErrServer):
		p.verdict.add(serverLife, "%v", err)
		end()
	case err != nil:
		end()
		return errors.Join(err, <-lived)
	}
	p.source.over.Store(true)
	return p.drain(ctx, err != nil, lived, end)
}

// drain lets the last trips end, then stops the city. It waits less if the run was interrupted or
// the verdict is already clear.
func (p *proof) drain(ctx context.Context, hurried bool, lived <-chan error, end func()) error {
	patience := p.o.patience()
	if hurried = hurried || p.city.Report().Broken(); hurried {
		patience = hurryWithin
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	interrupted := ctx.Done()
	for {
		select {
		case err := <-lived:
			p.drained = !hurried
			return err
		case <-interrupted:
			fmt.Fprintf(p.out, "Interrupted after %d rounds; judging what was recorded so far.\n", len(p.kills))
			interrupted, hurried = nil, true
			late.Reset(hurryWithin)
		case <-late.C:
			if !hurried {
				p.verdict.add(ends, "%s after the last round, riders are still waiting for their trips to end", patience)
			}
			end()
			return <-lived
		}
	}
}

// look reads trips over HTTP just after one of their versions was acknowledged.
func (p *proof) look(ctx context.Context) {
	for {
		select {
		case r := <-p.watch.looks:
			seen, err := p.read(ctx, r.Trip)
			if err != nil {
				continue // killed meanwhile
			}
			seen.What, seen.Trip, seen.Least, seen.Versions = check.Look, r.Trip, r.Version, nil
			p.city.Note(seen)
		case <-ctx.Done():
			return
		}
	}
}

// readAll reads every trip that any client has seen.
func (p *proof) readAll() {
	known := p.watch.known()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+time.Duration(len(known))*readWithin)
	defer cancel()
	trips := make(chan string)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for trip := range trips {
				r, err := p.read(ctx, trip)
				if err != nil {
					p.verdict.add(check.NoHole, "trip %s cannot be read over HTTP: %v", trip, err)
					continue
				}
				r.What, r.Trip = check.Read, trip
				p.city.Note(r)
			}
		})
	}
	for _, trip := range known {
		trips <- trip
	}
	close(trips)
	all.Wait()
}

// judge compares clients, HTTP and database with each other, and reports.
func (p *proof) judge(file string) (err error) {
	history, err := readHistory(file)
	if err != nil {
		return err
	}
	// An interrupted run is judged as well, hence the separate context.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	e := newEvidence(history, p.city.StartedAt(), p.kills)
	store, err := persistence.Open(ctx, p.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &stored{store: store, evidence: e, verdict: &p.verdict, drained: p.drained, slack: faultSlack}
	if len(p.toAnswer) > 0 { // no search ends while the server is away, which is judged by itself
		s.slack += time.Duration(slices.Max(p.toAnswer) * float64(time.Millisecond))
	}
	if c := p.cluster; c != nil {
		s.slack += c.schedule.longest()
		s.faults, s.fence = c.windows(), c.activations.fence
	}
	if err := s.judge(ctx, p.begun); err != nil {
		return err
	}
	if history, err = p.committed(history, s.ends); err != nil {
		return err
	}
	heard := endsHeard(history)
	order := check.Linearizable(history, ordersWithin)
	if !order.OK {
		p.verdict.add(check.OneWinner, "calls and answers of %d trips: %s", order.Trips, order)
	}
	r := p.report(e, s, order)
	heard.replace(&r.City)
	if p.cluster != nil {
		r.Cluster = p.cluster.judge(history)
		r.Cluster.MostActivations, r.Cluster.EndedTrips, r.Cluster.UnreadTrips = s.mostActivations, s.over, s.unread
	}
	return p.conclude(r)
}

// lag is how long this machine was late in all between two moments on the records' clock.
func (p *proof) lag(from, to int64) time.Duration {
	if p.city == nil {
		return 0 // it has not begun
	}
	return p.city.Lag(from, to)
}

// since converts a time to the records' clock.
func (p *proof) since(t time.Time) int64 { return int64(t.Sub(p.city.StartedAt())) }

func readHistory(file string) ([]check.Record, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	return check.ReadHistory(f)
}
