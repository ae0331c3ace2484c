package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
	"github.com/hexhail/hexhail/ride/tripfile"
)

// manyTrips is a store with as many trips as it says; it fails at a page.
type manyTrips struct {
	trips, served, failAt int
	longest               int
}

func (m *manyTrips) ListTrips(_ context.Context, f ride.TripFilter) ([]ride.Trip, string, error) {
	if m.failAt > 0 && m.served >= m.failAt {
		return nil, "", ride.ErrUnavailable
	}
	n := min(f.Page.Limit, m.trips-m.served)
	m.longest = max(m.longest, n)
	page := make([]ride.Trip, n)
	for i := range page {
		page[i].ID = ride.TripID(fmt.Sprint("t", m.served+i))
		page[i].Request.Pickup, page[i].Request.Dropoff = geo.Point{Lat: 52.5, Lng: 13.4}, geo.Point{Lat: 52.6, Lng: 13.4}
	}
	if m.served += n; m.served == m.trips {
		return page, "", nil
	}
	return page, fmt.Sprint(m.served), nil
}

// watched checks that each page is written before the next one is read.
type watched struct {
	io.Writer
	t     *testing.T
	store *manyTrips
	lines int
}

func (w *watched) Write(b []byte) (int, error) {
	w.lines += bytes.Count(b, []byte("\n"))
	require.LessOrEqual(w.t, w.store.served-w.lines, exportPage, "pages pile up in memory")
	return w.Writer.Write(b)
}

// TestExportIsReadInPages: of many thousands of trips one page is in memory at a time.
func TestExportIsReadInPages(t *testing.T) {
	store := &manyTrips{trips: 12_345}
	out := &watched{io.Discard, t, store, 0}
	var steps []int
	n, err := exportTrips(t.Context(), store, TripsExport{Format: tripfile.JSONLines, To: out, Progress: func(n int) { steps = append(steps, n) }})
	require.NoError(t, err)
	require.Equal(t, 12_345, n)
	require.Equal(t, 12_345, out.lines)
	require.Equal(t, exportPage, store.longest)
	require.Len(t, steps, 12_345/exportPage+1)

	store = &manyTrips{trips: 1000, failAt: 400}
	n, err = exportTrips(t.Context(), store, TripsExport{Format: tripfile.CSV, To: io.Discard, Progress: func(int) {}})
	require.ErrorIs(t, err, ride.ErrUnavailable)
	require.Equal(t, 400, n)

	store = &manyTrips{trips: 1000}
	var day bytes.Buffer
	n, err = exportTrips(t.Context(), store, TripsExport{Day: true, To: &day, Progress: func(int) {}})
	require.NoError(t, err)
	require.Equal(t, 1000, n)
	require.Equal(t, 1001, strings.Count(day.String(), "\n"))
	require.NotContains(t, day.String(), "t17")

	full := errors.New("disk full")
	_, err = exportTrips(t.Context(), &manyTrips{trips: 1000}, TripsExport{Format: tripfile.CSV, To: refusing{full}, Progress: func(int) {}})
	require.ErrorIs(t, err, full)
}

type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }

// interrupting is where an export goes whose command is interrupted.
type interrupting struct{ interrupt func() }

func (w interrupting) Write([]byte) (int, error) {
	w.interrupt()
	return 0, context.Canceled
}

// exportConfig is the configuration of an embedded database, or of one on Postgres.
func exportConfig(t *testing.T, url string) *config.Config {
	t.Helper()
	c := defaults(t)
	c.Store.DataDir, c.Store.DatabaseURL = t.TempDir(), config.Secret(url)
	return c
}

// TestExportAgreesWithTheStore: what is exported while a server has the database is what its store
// says, to midnight exactly, and without the names of the erased.
func TestExportAgreesWithTheStore(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Start} {
		t.Run(name, func(t *testing.T) {
			c := exportConfig(t, start(t))
			o := storeOptions(c, slog.New(slog.DiscardHandler))
			o.Own = true // as a server has it
			store, err := persistence.Open(t.Context(), o)
			require.NoError(t, err)
			defer func() { require.NoError(t, store.Close()) }()
			midnight := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
			for n, at := range map[string]time.Time{"before": midnight.Add(-time.Microsecond), "at": midnight, "after": midnight.Add(time.Microsecond)} {
				_, tr := storetest.Requested(n, "rider-"+n)
				tr.Trip.RequestedAt = at
				storetest.Commit(t, store, tr)
			}
			rider := storetest.Created(t, store, 1, ride.RoleRider)
			storetest.Completed(t, store, "done", string(rider.ID), "d1")
			export := func(f ride.TripFilter, format tripfile.Format) string {
				var b bytes.Buffer
				n, err := ExportTrips(t.Context(), c, TripsExport{Filter: f, Format: format, To: &b, Progress: func(int) {}})
				require.NoError(t, err)
				require.Equal(t, n, strings.Count(b.String(), "\n")-map[tripfile.Format]int{tripfile.CSV: 1}[format])
				return b.String()
			}
			ids := func(f ride.TripFilter) []string {
				rows, err := csv.NewReader(strings.NewReader(export(f, tripfile.CSV))).ReadAll()
				require.NoError(t, err)
				out := []string{}
				for _, row := range rows[1:] {
					out = append(out, row[0])
				}
				return out
			}
			require.Equal(t, []string{"after", "at"}, ids(ride.TripFilter{From: midnight}))
			require.Equal(t, []string{"before"}, ids(ride.TripFilter{From: midnight.Add(-time.Hour), To: midnight}))
			require.Empty(t, ids(ride.TripFilter{From: midnight.Add(time.Hour)}))

			var got struct {
				ID          string    `json:"trip_id"`
				Status      string    `json:"status"`
				RequestedAt time.Time `json:"requested_at"`
				Lat         float64   `json:"pickup_lat_deg"`
				Fare        int64     `json:"fare_minor"`
				Currency    string    `json:"currency"`
			}
			require.NoError(t, json.Unmarshal([]byte(export(ride.TripFilter{Statuses: []ride.Status{ride.StatusCompleted}}, tripfile.JSONLines)), &got))
			want, err := store.Trip(t.Context(), "done")
			require.NoError(t, err)
			require.Equal(t, "done", got.ID)
			require.Equal(t, string(want.Status), got.Status)
			require.True(t, want.RequestedAt.Equal(got.RequestedAt))
			require.InDelta(t, want.Request.Pickup.Lat, got.Lat, 1e-7)
			require.Equal(t, want.Fare.Total, got.Fare)
			require.Equal(t, want.Fare.Currency, got.Currency)

			require.Contains(t, export(ride.TripFilter{Account: rider.ID}, tripfile.CSV), "Rosa")
			require.NoError(t, store.Erase(t.Context(), rider.ID))
			erased := export(ride.TripFilter{Account: rider.ID}, tripfile.CSV)
			require.Contains(t, erased, "done,completed,", "figures stay")
			for _, name := range []string{"Rosa", "Old Mill", "Straße", "40.7000000"} {
				require.NotContains(t, erased, name)
			}

			entries, _, err := store.ListAudit(t.Context(), ride.AuditFilter{})
			require.NoError(t, err)
			require.Len(t, entries, 6)
			require.Equal(t, "trips.export", entries[0].Action)
			require.Equal(t, commandLine, entries[0].Actor)
			require.Equal(t, string(rider.ID), entries[0].Subject)
			require.JSONEq(t, `{"reason":"on the server's command line: csv"}`, entries[0].Detail)
			require.JSONEq(t, `{"reason":"on the server's command line: csv, from=2026-11-29T23:00:00Z&to=2026-11-30T00:00:00Z"}`, entries[4].Detail)

			// An export that is interrupted is on record too, and none shows what was searched for.
			ctx, interrupt := context.WithCancel(t.Context())
			_, err = ExportTrips(ctx, c, TripsExport{
				Filter: ride.TripFilter{Text: "done", Statuses: []ride.Status{ride.StatusExpired, ride.StatusCompleted}}, Format: tripfile.CSV,
				To: interrupting{interrupt}, Progress: func(int) {},
			})
			require.ErrorIs(t, err, context.Canceled)
			entries, _, err = store.ListAudit(t.Context(), ride.AuditFilter{})
			require.NoError(t, err)
			require.Len(t, entries, 8)
			require.Equal(t, "trips.export.failed", entries[0].Action)
			require.Equal(t, commandLine, entries[0].Actor)
			require.Equal(t, "trips.export", entries[1].Action)
			for _, e := range entries[:2] {
				require.JSONEq(t, `{"reason":"on the server's command line: csv, q=…&status=completed&status=expired"}`, e.Detail)
			}
		})
	}
}

// TestExportHasTimeToRead: a page that takes longer than a client would wait ends no export.
func TestExportHasTimeToRead(t *testing.T) {
	o := exportOptions(exportConfig(t, "postgres://db.example/hexhail"))
	require.Equal(t, 10*time.Minute, o.StatementTimeout)
	require.NoError(t, o.Validate())
	require.True(t, o.NoHealth)
	require.False(t, o.Own)
	require.Zero(t, o.PurgeEvery)
	require.Equal(t, 5*time.Second, exportOptions(exportConfig(t, "")).StatementTimeout, "locks are waited for as ever")
}

// TestCommandsBesideAServerKeepItsSchema: a newer program's command, even one that only reads, does not
// change the schema under a server.
func TestCommandsBesideAServerKeepItsSchema(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": pgtest.Start} {
		t.Run(name, func(t *testing.T) {
			c := exportConfig(t, start(t))
			_, err := CreateOperator(t.Context(), c, NewOperator{Username: "first", Password: "correct horse", FirstName: "F", LastName: "F"})
			require.NoError(t, err, "where there is no schema yet, one is made")
			o := storeOptions(c, slog.New(slog.DiscardHandler))
			before, err := persistence.Migrate(t.Context(), o, persistence.Down)
			require.NoError(t, err)

			refused := func(err error) {
				t.Helper()
				require.ErrorContains(t, err, fmt.Sprintf("the database's schema has version %d and this program's version %d",
					persistence.NewestSchema()-1, persistence.NewestSchema()))
				require.ErrorContains(t, err, "hexhail migrate up")
			}
			_, err = ExportTrips(t.Context(), c, TripsExport{Format: tripfile.CSV, To: io.Discard, Progress: func(int) {}})
			refused(err)
			_, err = OpenAccounts(t.Context(), c)
			refused(err)
			_, err = CreateOperator(t.Context(), c, NewOperator{Username: "second", Password: "correct horse", FirstName: "F", LastName: "F"})
			refused(err)
			after, err := persistence.Migrate(t.Context(), o, persistence.Status)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

// TestCommandsNeedADatabase: a wrong directory does not become an empty database. Only the first operator's
// account may be made before a server has run.
func TestCommandsNeedADatabase(t *testing.T) {
	c := exportConfig(t, "")
	_, err := ExportTrips(t.Context(), c, TripsExport{Format: tripfile.CSV, To: io.Discard, Progress: func(int) {}})
	require.ErrorIs(t, err, persistence.ErrNoDatabase)
	_, err = OpenAccounts(t.Context(), c)
	require.ErrorIs(t, err, persistence.ErrNoDatabase)
	require.ErrorIs(t, ForgetSpeeds(t.Context(), c), persistence.ErrNoDatabase)
	left, err := filepath.Glob(filepath.Join(c.Store.DataDir, "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
