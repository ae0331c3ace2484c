package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/outfile"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/tripfile"
)

type exportCmd struct {
	config.Config `embed:""`

	File    string   `arg:"" optional:"" name:"file" default:"-" help:"The file to write; - writes to standard output."`
	Format  string   `default:"csv" enum:"csv,jsonl" help:"Format of the file: ${enum}."`
	From    instant  `help:"Only trips requested at this time or later: a date (midnight UTC) or RFC 3339."`
	To      instant  `help:"Only trips requested before this time: a date (midnight UTC) or RFC 3339."`
	Status  []string `help:"Only trips with these statuses, separated by commas: requested, matched, arrived, in_progress, completed, cancelled, expired."`
	Live    bool     `help:"Only trips that have not ended."`
	Account string   `help:"Only trips of the rider or driver with this id."`
	Search  string   `help:"Only trips with this text in an address, the id, or a party's name, username or plate."`
	Force   bool     `help:"Replace the file if it exists."`
}

// Run is called by kong.
func (e *exportCmd) Run(in *call) error {
	f, err := e.filter()
	if err != nil {
		return err
	}
	if err := in.source.CompleteBeside(&e.Config); err != nil {
		return err
	}
	o := server.TripsExport{Filter: f, Format: tripfile.Format(e.Format), To: in.env.Stdout}
	ctx, show := in.long()
	defer show.end()
	o.Progress = func(int) {}
	if e.File == "-" {
		n, err := in.parts.exportTrips(ctx, &e.Config, o)
		switch {
		case err != nil && n > 0:
			return fmt.Errorf("export: stopped after %s: %w", count(n, "trip"), err)
		case err != nil:
			return fmt.Errorf("export: %w", err)
		}
		return nil
	}
	o.Progress = func(n int) { show.step(count(n, "trip"), 0, 0) }
	n, err := wholeFile(e.File, e.Force, func(w io.Writer) (int, error) {
		o.To = w
		return in.parts.exportTrips(ctx, &e.Config, o)
	})
	show.end()
	switch {
	case errors.Is(err, outfile.ErrNotSynced):
		return fmt.Errorf("export to %s: %w", e.File, err)
	case err != nil:
		return fmt.Errorf("export: nothing was written to %s: %w", e.File, err)
	}
	_, err = fmt.Fprintf(in.env.Stdout, "%s written to %s.\n", count(n, "trip"), e.File)
	return err
}

func (e *exportCmd) filter() (ride.TripFilter, error) {
	f := ride.TripFilter{
		Account: ride.AccountID(e.Account), Live: e.Live, Text: e.Search, From: time.Time(e.From), To: time.Time(e.To),
	}
	known := ride.Statuses()
	for _, name := range e.Status {
		s := ride.Status(strings.TrimSpace(name))
		if !slices.Contains(known, s) {
			return f, fmt.Errorf("there is no status %q: choose from %s", name, joined(known))
		}
		f.Statuses = append(f.Statuses, s)
	}
	if e.Live && len(f.Statuses) > 0 {
		return f, errors.New("--live and --status cannot be combined")
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return f, fmt.Errorf("--from %s must be before --to %s", f.From.Format(time.RFC3339), f.To.Format(time.RFC3339))
	}
	return f, nil
}

func joined(statuses []ride.Status) string {
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// instant is a time on the command line.
type instant time.Time

// UnmarshalText reads a date, which means its midnight in UTC, or a time of RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	for _, form := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(form, string(text)); err == nil {
			*i = instant(t)
			return nil
		}
	}
	return fmt.Errorf("%q is neither a date such as 2026-11-30 nor a time such as 2026-11-30T09:00:00+09:00", text)
}

// wholeFile writes a file that gets its name once it is whole and on disk; on failure it leaves
// nothing behind. It does not replace a file unless forced to.
func wholeFile(path string, force bool, write func(io.Writer) (int, error)) (n int, err error) {
	if err := outfile.Free(path, force); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.partial") // readable to its owner alone
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	n, err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	return n, outfile.Publish(f.Name(), path, force)
}
