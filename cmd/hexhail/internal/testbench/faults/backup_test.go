package faults

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// TestBackupUnderLoad: another process backs up a database under the heaviest write load. The
// backup holds everything acknowledged before it, nothing is torn, and commits continue. The times
// are logged, not judged; HEXHAIL_BACKUP sets the database's size in MiB and makes three
// measurements.
func TestBackupUnderLoad(t *testing.T) {
	beside(t, "HEXHAIL_BACKUP")
	size, rounds, calm := int64(setting(t, "HEXHAIL_BACKUP", 10))<<20, 1, 500*time.Millisecond
	if os.Getenv("HEXHAIL_BACKUP") != "" {
		rounds, calm = 3, 4*time.Second
	}
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "hexhail.db")
	o := persistence.DefaultSQLite(path)
	o.Own = true
	store, err := persistence.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	w := &writers{store: store}
	stop := w.start(t, 4096)
	for part := range 4 { // as long as it grows
		harness.Until(t, "a database that is large enough", func() bool {
			st, err := os.Stat(path)
			return err == nil && int(st.Size()) >= int(size)*(part+1)/4 || t.Failed()
		})
	}
	stop()
	for round := range rounds {
		stop := w.start(t, 64)
		w.take()
		time.Sleep(calm) // longer gives better figures; the result does not depend on it
		harness.Until(t, "commits before the backup", func() bool { return w.count() > 0 || t.Failed() })
		before := w.take()
		acknowledged := w.versions()
		file := filepath.Join(t.TempDir(), fmt.Sprint("backup", round))
		begun := time.Now()
		hexhail(t, "backup", "--data-dir="+dir, file)
		took := time.Since(begun)
		during := w.take()
		stop()
		require.NotEmpty(t, during)
		st, err := os.Stat(file)
		require.NoError(t, err)
		t.Logf("backup of %d MiB in %.2f s; commits before: %d, p50 %.1f ms, p99 %.1f ms; during: %d, p50 %.1f ms, p99 %.1f ms, longest %.1f ms",
			st.Size()>>20, took.Seconds(), len(before), ms(before.at(50)), ms(before.at(99)), len(during), ms(during.at(50)), ms(during.at(99)), ms(during.at(100)))
		to := filepath.Join(t.TempDir(), fmt.Sprint("elsewhere", round))
		begun = time.Now()
		hexhail(t, "restore", "--data-dir="+to, file)
		t.Logf("restored in %.2f s", time.Since(begun).Seconds())
		whole(t, filepath.Join(to, "hexhail.db"), acknowledged)
		require.NoError(t, os.RemoveAll(to))
		require.NoError(t, os.Remove(file))
	}
}

// hexhail runs a command line in a separate process.
func hexhail(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), harness.ChildEnv+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// writers write trips as fast as a store accepts them.
type writers struct {
	store *persistence.Store
	trips atomic.Int64
	known sync.Map // the acknowledged version by trip

	mu   sync.Mutex
	took times
}

// start writes, with reply bytes in each command's answer, until stop.
func (w *writers) start(t *testing.T, reply int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := w.live(int(w.trips.Add(1)), reply); err != nil {
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	return sync.OnceFunc(func() { cancel(); wg.Wait() })
}

// live writes the transitions of one trip.
func (w *writers) live(n, reply int) error {
	at := time.Now().UTC().Truncate(time.Microsecond)
	id, driver := ride.TripID(fmt.Sprint("t", n)), ride.AccountID(fmt.Sprint("d", n))
	rider := ride.AccountID(fmt.Sprint("r", n))
	var now ride.Trip
	for i, e := range []ride.Event{
		ride.Requested{At: at, ID: id, Rules: ride.DefaultRules(), PIN: "1234", Request: ride.Request{
			Rider: ride.RiderCard{ID: rider, FirstName: "Rosa"}, Class: "standard", Passengers: 1,
			Pickup: geo.Point{Lat: 40.7, Lng: -74}, Dropoff: geo.Point{Lat: 40.8, Lng: -73.9},
		}},
		ride.WavePlanned{At: at, Wave: 1, Ring: 1, Offers: []ride.Offer{{
			ID: ride.NewOfferID(id, 1), Driver: driver, Wave: 1, DistanceM: 120, ETA: time.Minute, MadeAt: at, ExpiresAt: at.Add(time.Minute), State: ride.OfferOpen,
		}}},
		ride.Matched{At: at, Offer: ride.NewOfferID(id, 1), Card: ride.DriverCard{ID: driver, FirstName: "Dan", Plate: "HX 1", Class: "standard"}},
		ride.Arrived{At: at}, ride.Started{At: at}, ride.Completed{At: at, By: ride.ByDriver},
	} {
		after := ride.Apply(now, e)
		tr := ride.Transition{Prev: now.Version, Trip: &after, Events: []ride.Event{e}, Wake: ride.Wake(after),
			Command: &ride.CommandRecord{Account: rider, ID: fmt.Sprint(i), Digest: "d", Reply: make([]byte, reply), At: at}}
		for _, o := range after.Offers {
			tr.Offers = append(tr.Offers, ride.OfferRow{Trip: id, Offer: o})
		}
		begun := time.Now()
		if err := w.store.Commit(context.Background(), tr); err != nil {
			return err
		}
		took := time.Since(begun)
		w.known.Store(id, after.Version)
		w.mu.Lock()
		w.took = append(w.took, took)
		w.mu.Unlock()
		now = after
	}
	return nil
}

// take returns how long commits took since the last call.
func (w *writers) take() times {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.took
	w.took = nil
	return out
}

// count is how many times take would return.
func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.took)
}

// versions returns the versions acknowledged so far.
func (w *writers) versions() map[ride.TripID]int64 {
	out := make(map[ride.TripID]int64)
	w.known.Range(func(id, version any) bool { out[id.(ride.TripID)] = version.(int64); return true })
	return out
}

// whole checks that a database holds everything acknowledged, and each trip with all its events and
// answers.
func whole(t *testing.T, path string, acknowledged map[ride.TripID]int64) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT id, version, (SELECT COUNT(*) FROM trip_events e WHERE e.trip_id = t.id),
		(SELECT COUNT(*) FROM commands c WHERE c.account_id = t.rider_id), (SELECT COUNT(*) FROM offers o WHERE o.trip_id = t.id) FROM trips t`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	found := 0
	for rows.Next() {
		var id ride.TripID
		var version, events, answers, offers int64
		require.NoError(t, rows.Scan(&id, &version, &events, &answers, &offers))
		if want, ok := acknowledged[id]; ok {
			require.GreaterOrEqual(t, version, want, "trip %s", id)
			found++
		}
		if version != events || version != answers || (offers > 0) != (version > 1) {
			t.Fatalf("trip %s is torn: version %d, %d events, %d answers, %d offers", id, version, events, answers, offers)
		}
	}
	require.NoError(t, rows.Err())
	require.Len(t, acknowledged, found)
	require.Positive(t, found)
}
