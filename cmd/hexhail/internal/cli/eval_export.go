package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/outfile"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/ride"
)

// mostDays is how long a scenario may last.
const mostDays = 31

type evalExportCmd struct {
	config.Config `embed:""`

	File  string  `arg:"" name:"file.csv" help:"The file to write; - writes to standard output."`
	From  instant `help:"Only trips requested at this time or later: a date (midnight UTC) or RFC 3339." required:""`
	To    instant `help:"Only trips requested before this time, at most 31 days later: a date (midnight UTC) or RFC 3339." required:""`
	Force bool    `help:"Replace the file if it exists."`
}

// Run is called by kong.
func (e *evalExportCmd) Run(in *call) error {
	f := ride.TripFilter{From: time.Time(e.From), To: time.Time(e.To)}
	if !f.From.Before(f.To) {
		return fmt.Errorf("--from %s must be before --to %s", f.From.Format(time.RFC3339), f.To.Format(time.RFC3339))
	}
	if f.To.Sub(f.From) > mostDays*24*time.Hour {
		return fmt.Errorf("at most %d days make a scenario", mostDays)
	}
	if err := in.source.CompleteBeside(&e.Config); err != nil {
		return err
	}
	ctx, show := in.long()
	defer show.end()
	o := server.TripsExport{Filter: f, Day: true, To: in.env.Stdout, Progress: func(int) {}}
	if e.File == "-" {
		if _, err := in.parts.exportTrips(ctx, &e.Config, o); err != nil {
			return fmt.Errorf("eval export: %w", err)
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
		return fmt.Errorf("eval export to %s: %w", e.File, err)
	case err != nil:
		return fmt.Errorf("eval export: nothing was written to %s: %w", e.File, err)
	}
	_, err = fmt.Fprintf(in.env.Stdout, "%s written to %s.\n", count(n, "trip"), e.File)
	return err
}
