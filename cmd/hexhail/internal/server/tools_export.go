package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/tripfile"
	"github.com/hexhail/hexhail/sim/eval"
)

// TripsExport says which trips to write, and where to.
type TripsExport struct {
	Filter ride.TripFilter // its page is not used
	Format tripfile.Format
	// Day writes a scenario for hexhail eval instead, without names and exact places; Format does not count.
	Day bool
	To  io.Writer
	// Progress is called with the number of trips written so far. It must not be nil.
	Progress func(trips int)
}

const (
	// exportPage bounds the trips of an export in memory.
	exportPage = 200
	// exportStatement bounds the read of one page on Postgres: with a filter that no index serves it
	// goes through the whole history. A server's bound is for requests that clients wait for.
	exportStatement = 10 * time.Minute
)

// tripLister is what an export reads.
type tripLister interface {
	ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
}

// ExportTrips writes trips, newest first, and returns how many. It may run beside a server: it reads a
// page at a time, each in a read of its own, so that it holds up no write. It records the export in
// the audit first, and afterwards whether it failed. The error wraps persistence.ErrNoDatabase if there is none.
func ExportTrips(ctx context.Context, c *config.Config, o TripsExport) (n int, err error) {
	store, err := persistence.Open(ctx, exportOptions(c))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	entry := ride.AuditEntry{Actor: commandLine, Action: "trips.export", Subject: string(o.Filter.Account)}
	err = onRecord(ctx, store, entry, o.record(), func() error {
		n, err = exportTrips(ctx, store, o)
		return err
	})
	return n, err
}

func exportOptions(c *config.Config) persistence.Options {
	o := besideOptions(c, refuseEmpty(c))
	if o.DatabaseURL != "" { // on SQLite the bound is for locks, which readers do not wait for
		o.StatementTimeout = exportStatement
	}
	return o
}

// record is how the audit describes the export.
func (o *TripsExport) record() string {
	out := byCommand + ": " + string(o.Format)
	if o.Day {
		out = byCommand + ": a scenario for hexhail eval"
	}
	if filters := tripfile.Filters(o.Filter); filters != "" {
		out += ", " + filters
	}
	return out
}

// refuseEmpty keeps a command that needs what is there from making a database where there is none: the
// directory is probably the wrong one.
func refuseEmpty(c *config.Config) func(persistence.Found) error {
	return func(f persistence.Found) error {
		switch {
		case f.Schema > 0:
			return nil
		case c.Store.DatabaseURL != "":
			return fmt.Errorf("%w of Hexhail's behind the database URL", persistence.ErrNoDatabase)
		default:
			return fmt.Errorf("%w in %s: set --data-dir to the server's", persistence.ErrNoDatabase, c.Store.DataDir)
		}
	}
}

// tripWriter writes the lines of an export.
type tripWriter interface {
	Write(t *ride.Trip) error
	Flush() error
}

func exportTrips(ctx context.Context, trips tripLister, o TripsExport) (n int, err error) {
	if o.Day {
		w := eval.NewDayWriter(o.To)
		if n, err = writeTrips(ctx, trips, o, w); err != nil {
			return n, err
		}
		return n, w.Close()
	}
	w, err := tripfile.New(o.To, o.Format)
	if err != nil {
		return 0, err
	}
	return writeTrips(ctx, trips, o, w)
}

// writeTrips writes all trips, a page at a time.
func writeTrips(ctx context.Context, trips tripLister, o TripsExport, w tripWriter) (n int, err error) {
	f := o.Filter
	for f.Page = (ride.Page{Limit: exportPage}); ; {
		page, next, err := trips.ListTrips(ctx, f)
		if err != nil {
			return n, err
		}
		for i := range page {
			if err := w.Write(&page[i]); err != nil {
				return n, err
			}
		}
		if err := w.Flush(); err != nil {
			return n, err
		}
		n += len(page)
		o.Progress(n)
		if f.Page.Cursor = next; next == "" {
			return n, nil
		}
	}
}
