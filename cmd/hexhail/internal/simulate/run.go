package simulate

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/report"
)

// ErrBroken means that a promise was broken. The table says which.
var ErrBroken = errors.New("the run broke an invariant or the protocol")

// Target is the server that a city uses.
type Target struct {
	URLs   []string
	Issuer Issuer
	// Visitors are real people in the city; nil: none.
	Visitors *city.Visitors
	// Yield is how many riders may wait for a driver while this machine lags before further
	// requests are held back; 0: none is.
	Yield int
	// Header is shown above the picture on a terminal; empty: none.
	Header string
}

// Run runs a city until it is done or ctx ends, shows it on out, and prints the table at the end.
// The error wraps ErrBroken if a promise was broken.
func Run(ctx context.Context, o Options, d Demand, t Target, out io.Writer, log *slog.Logger) (err error) {
	cfg, err := o.City(d, t, log)
	if err != nil {
		return err
	}
	if o.Record != "" {
		f, err := create(o.Record)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		cfg.Recorder = check.NewRecorder(f)
		defer func() { err = errors.Join(err, cfg.Recorder.Close(), f.Close()) }()
	}
	c, err := city.New(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Starting %d drivers; speed %g, seed %d.\n", len(cfg.Taxis), o.Speed, o.Seed)
	watched, stop := context.WithCancel(context.WithoutCancel(ctx))
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		watch(watched, c, o, t.Header, out)
	}()
	err = c.Run(ctx)
	stop()
	<-shown
	if errors.Is(err, city.ErrNobody) {
		return err // a table of zeros would hide the error
	}
	return errors.Join(err, conclude(c.Report(), o, out))
}

// City returns the city that the flags describe.
func (o *Options) City(d Demand, t Target, log *slog.Logger) (city.Config, error) {
	if err := o.check(); err != nil {
		return city.Config{}, err
	}
	f, err := o.Filter()
	if err != nil {
		return city.Config{}, err
	}
	requests, err := o.source(d)
	if err != nil {
		return city.Config{}, err
	}
	taxis, traces, err := o.fleet(d)
	if err != nil {
		return city.Config{}, err
	}
	if err := o.shifts(d, taxis); err != nil {
		return city.Config{}, err
	}
	read, err := NewReader(t.URLs[0], t.Issuer)
	if err != nil {
		return city.Config{}, err
	}
	prefix := rand.Text()[:6] + "-"
	classes := make(map[string]string) // drivers' classes, by account name
	for _, x := range taxis {
		if x.Class != "" {
			classes[city.DriverName(prefix, x.ID)] = x.Class
		}
	}
	return city.Config{
		URLs: t.URLs, Codecs: o.codecs(), Prefix: prefix, Visitors: t.Visitors, Yield: t.Yield,
		Token:    func(role, name string) (string, error) { return t.Issuer.TokenWith(role, name, classes[name]) },
		Requests: requests, Taxis: taxis, Traces: traces, Router: o.router(),
		Seed: o.Seed, Behaviour: o.behaviour(), Speed: o.Speed, Riders: o.Riders,
		TripInterval: o.TripInterval, IdleInterval: o.IdleInterval, Duration: o.Duration, Area: f.Area,
		Verify: o.Verify, Read: read.Read, Log: log,
	}, nil
}

// The update intervals of the two views.
const (
	liveEvery = 250 * time.Millisecond
	lineEvery = 5 * time.Second
)

// watch shows the city's progress until ctx ends.
func watch(ctx context.Context, c *city.City, o Options, header string, out io.Writer) {
	live := terminal(out) && !o.Headless
	every := lineEvery
	if live {
		every = liveEvery
	}
	view := report.NewLive(out, func() int { return columns(out) }, header)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		if live {
			_ = view.Draw(c.Report(), o.Duration) // a broken terminal must not end the run
		} else {
			fmt.Fprintln(out, report.Line(c.Report()))
		}
	}
}

// terminal reports whether w is a terminal.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns is the current width of the terminal; 80 if unknown.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if wide, _, err := term.GetSize(int(f.Fd())); err == nil && wide > 0 {
			return wide
		}
	}
	return 80
}

// conclude prints the table and writes the report.
func conclude(r report.Report, o Options, out io.Writer) error {
	fmt.Fprintln(out)
	err := report.Table(out, r)
	if o.Report != "" {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		err = errors.Join(err, enc.Encode(r))
		if f, e := create(o.Report); e != nil {
			err = errors.Join(err, fmt.Errorf("report: %w", e))
		} else {
			_, e = f.Write(b.Bytes())
			err = errors.Join(err, e, f.Close())
		}
	}
	if r.Broken() {
		err = errors.Join(err, ErrBroken)
	}
	return err
}
