package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/tripfile"
	"github.com/hexhail/hexhail/transport/problem"
)

const (
	tripsExportPath = "/v1/admin/trips/export"
	// maxExportTrips bounds the trips of one export over HTTP; hexhail export has no bound.
	maxExportTrips = 100_000
	// tripsPage bounds the trips of an export in memory.
	tripsPage = 200
)

func (a *API) registerTripsExport() {
	register(a, operation{
		id: "admin-export-trips", method: http.MethodGet, path: tripsExportPath, tag: "Operators", summary: "Trips as a file", roles: operators,
		photo: true,
		doc: "Newest first, as CSV or JSON lines; docs/operations.md describes the columns. At most 100,000 trips: `hexhail export` has no limit. " +
			"The audit records each export. If the connection is cut, the file is incomplete.",
	}, a.adminExportTrips)
	file := &huma.Schema{Type: huma.TypeString}
	a.huma.OpenAPI().Paths[tripsExportPath].Get.Responses["200"] = &huma.Response{
		Description: "The file.",
		Headers:     map[string]*huma.Header{"Content-Disposition": {Description: "Names the file.", Schema: &huma.Schema{Type: huma.TypeString}}},
		Content: map[string]*huma.MediaType{
			tripfile.CSV.ContentType(): {Schema: file}, tripfile.JSONLines.ContentType(): {Schema: file},
		},
	}
}

// tripsExport is what an operator asks for.
type tripsExport struct {
	TripSearch
	Statuses []ride.Status `query:"status,explode" maxItems:"7" enum:"requested,matched,arrived,in_progress,completed,cancelled,expired" doc:"Any of these; absent: all."`
	Live     bool          `query:"live" doc:"Only those that have not ended."`
	Format   string        `query:"format" enum:"csv,jsonl" default:"csv" doc:"CSV, or one JSON object on each line."`
}

func (in *tripsExport) filter() ride.TripFilter {
	return ride.TripFilter{
		Account: in.Account, Statuses: in.Statuses, Live: in.Live, Text: in.Text, From: in.From, To: in.To, Page: ride.Page{Limit: tripsPage},
	}
}

// record is what the audit keeps.
func (in *tripsExport) record(trips int) string {
	out := fmt.Sprintf("%s, %d trips", in.Format, trips)
	if filters := tripfile.Filters(in.filter()); filters != "" {
		out += ", " + filters
	}
	return out
}

const tripsExportAction = "trips.export"

// adminExportTrips writes trips as it reads them, a page at a time. What fails before the first byte
// is a problem, what fails later cuts the connection: half a file must not look like a whole one. An
// operator who loses access meanwhile gets no further page.
func (a *API) adminExportTrips(ctx context.Context, in *tripsExport) (*huma.StreamResponse, error) {
	leave, err := a.enterExport(principal(ctx).Account)
	if err != nil {
		return nil, err
	}
	streaming := false
	defer func() {
		if !streaming {
			leave()
		}
	}()
	f := in.filter()
	n, err := a.deps.Trips.CountTrips(ctx, f, maxExportTrips+1)
	if err != nil {
		return nil, err
	}
	if n > maxExportTrips {
		return nil, ride.ErrInvalidArgument.With("More than %d trips match these filters: choose a shorter period, or use hexhail export.", maxExportTrips).In("from")
	}
	// What is not on record does not happen.
	if err := a.audit(ctx, tripsExportAction, string(in.Account), map[string]string{"reason": in.record(n)}); err != nil {
		return nil, err
	}
	pages, err := a.tripPages(f, tripfile.Format(in.Format))
	if err != nil {
		return nil, err
	}
	first, more, err := pages(ctx)
	if err != nil {
		a.exportFailed(ctx, in, err)
		return nil, err
	}
	streaming = true
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer leave()
		name := "hexhail-trips-" + a.cfg.Now().UTC().Format("20060102T150405Z") + "." + in.Format
		out.SetHeader("Content-Type", tripfile.Format(in.Format).ContentType())
		out.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		write, done := exportTo(ctx, out)
		defer done()
		for write(first); more; write(first) {
			if first, more, err = pages(ctx); err == nil {
				err = a.deps.Auth.StillCounts(ctx, principal(ctx))
			}
			if err != nil {
				a.exportFailed(ctx, in, err)
				_ = a.fail(ctx, "admin-export-trips", err)
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

// exportFailed records that an export did not reach its end. The failure is what the operator must
// hear of, whether or not this is recorded.
func (a *API) exportFailed(ctx context.Context, in *tripsExport, err error) {
	ctx, done := a.carryOn(ctx)
	defer done()
	_ = a.audit(ctx, tripsExportAction+".failed", string(in.Account), map[string]string{"code": problem.Of(err).Code})
}

// tripPages returns a function that reads and encodes the next page of trips; more is false with the
// last one. The bytes are valid until the next call.
func (a *API) tripPages(f ride.TripFilter, format tripfile.Format) (func(context.Context) (lines []byte, more bool, err error), error) {
	var lines bytes.Buffer
	w, err := tripfile.New(&lines, format)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]byte, bool, error) {
		lines.Reset()
		trips, next, err := a.deps.Trips.ListTrips(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for i := range trips {
			if err := w.Write(&trips[i]); err != nil {
				return nil, false, err
			}
		}
		if err := w.Flush(); err != nil {
			return nil, false, err
		}
		f.Page.Cursor = next
		return lines.Bytes(), next != "", nil
	}, nil
}
