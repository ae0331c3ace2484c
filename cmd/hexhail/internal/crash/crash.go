package crash

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
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
	hurryWithin  = 5 * time.Second // for the last trips, after an interrupt or once the verdict is clear
	ordersWithin = 2 * time.Minute // to look for orders of commands
)

// proof is one run.
type proof struct {
	o       Options
	dir     string
	out     io.Writer
	program *program
	server  *child
	city    *city.City
	source  *requests
	watch   *watch
	reader  *simulate.Reader
	verdict verdict

	begun               time.Time
	kills               []time.Time
	toSession, toAnswer []float64 // ms from each kill
	drained             bool
}

// Run kills a server repeatedly while a city uses it, and reports to out. The error wraps
// simulate.ErrBroken if a promise was broken, and ErrNothingProven if the run proves nothing. When
// ctx ends, Run judges what it has recorded so far.
func Run(ctx context.Context, o Options, out io.Writer, log *slog.Logger) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	dir, remove, err := o.place()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	issuer := simulate.Issuer{Name: "https://crash.hexhail.invalid", Audience: "hexhail-crash", Secret: []byte(rand.Text() + rand.Text())}
	p := &proof{o: o, dir: dir, out: out, watch: newWatch(), begun: time.Now()}
	if p.program, err = o.server(dir, issuer); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.program.log.Close()) }()
	if p.server, err = p.program.start(ctx); err != nil {
		return err
	}
	defer func() { p.server.kill() }() // it has exited long before, unless something failed
	file := o.Record
	if file == "" {
		file = filepath.Join(dir, "history.jsonl")
	}
	if err := p.live(ctx, issuer, file, log); err != nil {
		return err
	}
	return p.judge(file)
}

// live runs the city and kills the server, then reads every trip over HTTP and stops the server
// gracefully.
func (p *proof) live(ctx context.Context, issuer simulate.Issuer, file string, log *slog.Logger) (err error) {
	history, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	cfg, source, err := p.o.city(p.server.socket, issuer, log)
	if err != nil {
		return errors.Join(err, history.Close())
	}
	cfg.Prefix, cfg.Watch, cfg.Recorder = rand.Text()[:6]+"-", p.watch.record, check.NewRecorder(history)
	defer func() { err = errors.Join(err, cfg.Recorder.Close(), history.Close()) }()
	p.source = source
	if p.city, err = city.New(cfg); err != nil {
		return err
	}
	if p.reader, err = simulate.NewReader(p.server.socket, issuer); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%d drivers at speed %g on %s; %d kills follow.\n", p.o.Drivers, p.o.Speed, p.o.engine(), p.o.Rounds)
	if err := p.killing(ctx); err != nil {
		return err
	}
	if p.server.gone() {
		return nil // that is part of the verdict
	}
	p.readAll()
	if err := p.server.stop(); err != nil {
		p.verdict.add(serverLife, "the last server did not shut down cleanly: %v", err)
	}
	return nil
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
	p.until(ctx, startWithin, func() bool { return len(p.watch.known()) > 0 || len(lived) > 0 })
	if len(lived) > 0 {
		return <-lived
	}
	err := p.rounds(ctx)
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
			fmt.Fprintf(p.out, "Interrupted after %d of %d rounds; judging what was recorded so far.\n", len(p.kills), p.o.Rounds)
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
			seen, err := p.reader.Read(ctx, r.Trip)
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	trips := make(chan string)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for trip := range trips {
				r, err := p.reader.Read(ctx, trip)
				if err != nil {
					p.verdict.add(check.NoHole, "trip %s cannot be read over HTTP: %v", trip, err)
					continue
				}
				r.What, r.Trip = check.Read, trip
				p.city.Note(r)
			}
		})
	}
	for _, trip := range p.watch.known() {
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
	store, err := persistence.Open(ctx, p.o.store(p.dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &stored{store: store, evidence: e, verdict: &p.verdict, drained: p.drained}
	if err := s.judge(ctx, p.begun); err != nil {
		return err
	}
	order := check.Linearizable(history, ordersWithin)
	if !order.OK {
		p.verdict.add(check.OneWinner, "calls and answers of %d trips: %s", order.Trips, order)
	}
	return p.conclude(e, s, order)
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
