package persistence_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/storetest"
	"github.com/hexhail/hexhail/ride/view"
)

// onEachRaw is onEach with a clock that the test moves, and the database beside the store.
func onEachRaw(t *testing.T, f func(t *testing.T, s *persistence.Store, db *sql.DB, clock *time.Time), edit ...func(*persistence.Options)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			clock := epoch
			o.Now = func() time.Time { return clock }
			o.NoHealth = true // which would read the clock as well
			o.PurgeEvery = 0  // the test purges
			for _, change := range edit {
				change(&o)
			}
			s := open(t, o)
			driver, source := "sqlite", o.Path
			if o.DatabaseURL != "" {
				driver, source = "pgx", sessionURL(o)
			}
			db, err := sql.Open(driver, source)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			f(t, s, db, &clock)
		})
	}
}

// tables lists every table with its columns.
func tables(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	text := `SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'`
	if strings.Contains(fmt.Sprintf("%T", db.Driver()), "stdlib") {
		text = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	rows, err := db.Query(text)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		out[table] = append(out[table], column)
	}
	require.NoError(t, rows.Err())
	return out
}

// dump is everything in the database as one text.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	for table, columns := range tables(t, db) {
		rows, err := db.Query(`SELECT * FROM ` + table)
		require.NoError(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			require.NoError(t, rows.Scan(values...))
			for i := range values {
				v := *(values[i].(*any))
				if bytes, ok := v.([]byte); ok {
					v = string(bytes)
				}
				fmt.Fprintf(&b, "%s.%v\n", table, v)
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return b.String()
}

// TestEveryColumnOfAnAccountIsKnown: a new column that names an account must be dealt with by
// erasing and export, or be said here to name none.
func TestEveryColumnOfAnAccountIsKnown(t *testing.T) {
	named := regexp.MustCompile(`account|rider|driver|owner|actor|user|person|people|subject|member|operator|email|phone|device|network|address`)
	others := map[string]bool{ // columns of accounts itself go with its row
		"accounts": true, "erasures.subject_hash": true, "goose_db_version": true,
		"street_speeds.log_factor": true, // no actor
	}
	onEachRaw(t, func(t *testing.T, _ *persistence.Store, db *sql.DB, _ *time.Time) {
		known := map[string]bool{}
		for _, k := range persistence.AccountColumns() {
			known[k] = true
		}
		for table, columns := range tables(t, db) {
			for _, c := range columns {
				name := table + "." + c
				if named.MatchString(c) && !others[table] && !others[name] {
					require.True(t, known[name], "%s may name an account: add it to accountKeys, or say here that it does not", name)
				}
				delete(known, name)
			}
		}
		require.Empty(t, known, "columns that are no more")
	})
}

// life gives an account everything that a person can have, every text of it marked.
func life(t *testing.T, s *persistence.Store, mark string, role ride.Role, n int) ride.Account {
	t.Helper()
	a := storetest.Account(n, role)
	a.ID = ride.AccountID(fmt.Sprintf("id-%s-%d", role, n))
	a.Username, a.FirstName, a.LastName = mark+"user", mark+"first", mark+"last"
	a.PhotoID, a.Issuer, a.Subject = mark+"photo", "https://id.example", mark+"subject"
	if role == ride.RoleDriver {
		a.Vehicle = ride.Vehicle{Class: "standard", Plate: mark + "plate", Make: mark + "make", Model: mark + "model", Colour: mark + "colour"}
		a.Approval, a.ApprovalReason = ride.ApprovalApproved, mark+"approval"
	}
	ctx := t.Context()
	require.NoError(t, s.CreateAccount(ctx, a, mark+"hash"))
	require.NoError(t, s.SavePhoto(ctx, ride.Photo{ID: mark + "photo", Owner: a.ID, ContentType: "image/jpeg", Data: []byte(mark + "pixels")}))
	require.NoError(t, s.SaveRefreshToken(ctx, ride.RefreshToken{
		Hash: mark + "token", Family: mark + "family", Account: a.ID, CreatedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
	}))
	_, err := s.SaveTicket(ctx, ride.Ticket{Hash: mark + "ticket", Account: a.ID, Family: mark + "family", TokenExpiresAt: epoch}, 24*time.Hour, 10)
	require.NoError(t, err)
	require.NoError(t, s.SavePlaces(ctx, a.ID, []string{mark + "network", mark + "device"}, epoch, 16))
	require.NoError(t, s.AddAudit(ctx, ride.AuditEntry{At: epoch, Actor: "op", Action: "account.suspend", Subject: string(a.ID), Detail: `{"reason":"` + mark + `"}`}))
	require.NoError(t, s.Commit(ctx, ride.Transition{Command: &ride.CommandRecord{
		Account: a.ID, ID: "c1", Digest: "d", Reply: []byte(mark + "reply"), At: epoch,
	}}))
	return a
}

var (
	home = geo.Point{Lat: 40.7123456, Lng: -74.0123456}
	work = geo.Point{Lat: 40.8123456, Lng: -73.9123456}
)

// shared makes a completed trip between the two, on which another driver had been, too.
func shared(t *testing.T, s *persistence.Store, rider, driver, former ride.Account, markRider, markDriver, markFormer string) *storetest.History {
	t.Helper()
	h, _ := storetest.Requested("trip-of-both", string(rider.ID))
	h.Trip, h.At = ride.Trip{}, epoch
	storetest.Commit(t, s, h.Then(ride.Requested{At: epoch, ID: "trip-of-both", Rules: ride.DefaultRules(), PIN: "1234", Request: ride.Request{
		Rider:  ride.RiderCard{ID: rider.ID, FirstName: markRider + "first", PhotoID: markRider + "photo"},
		Pickup: home, Dropoff: work, PickupAddress: markRider + "home", DropoffAddress: markRider + "work",
		Note: markRider + "note", Class: "standard", Passengers: 1,
	}}))
	card := func(a ride.Account, mark string) ride.DriverCard {
		return ride.DriverCard{ID: a.ID, FirstName: mark + "first", PhotoID: mark + "photo", Class: "standard",
			Plate: mark + "plate", Make: mark + "make", Model: mark + "model", Colour: mark + "colour"}
	}
	wave := h.OfferTo(string(former.ID)).(ride.WavePlanned)
	wave.Considered = []ride.Considered{
		{Driver: former.ID, Point: geo.Point{Lat: 40.1111111, Lng: -74.1111111}, DistanceM: 5, Verdict: ride.VerdictOffered},
		{Driver: driver.ID, Point: geo.Point{Lat: 40.2222222, Lng: -74.2222222}, DistanceM: 6, Verdict: "over_cap"},
	}
	storetest.Commit(t, s, h.Then(wave))
	storetest.Commit(t, s, h.Then(ride.Accepted{At: h.Tick(), Offer: h.Offers[0].ID, Card: card(former, markFormer), AwardAt: h.At.Add(time.Second)}))
	storetest.Commit(t, s, h.Then(ride.Matched{At: h.Tick(), Offer: h.Offers[0].ID, Card: card(former, markFormer)}))
	storetest.Commit(t, s, h.Then(ride.Released{At: h.Tick(), Driver: former.ID, By: ride.ByDriver, Reason: markFormer + "reason"}))
	storetest.Commit(t, s, h.Then(h.OfferTo(string(driver.ID))))
	storetest.Commit(t, s, h.Then(ride.Matched{At: h.Tick(), Offer: h.Offers[1].ID, Card: card(driver, markDriver)}))
	storetest.Commit(t, s, h.Then(ride.Arrived{At: h.Tick()}, ride.Started{At: h.Tick()}))
	storetest.Commit(t, s, h.Then(ride.Completed{At: h.Tick(), By: ride.ByDriver, TravelledM: 1234, Fare: ride.Fare{Total: 777, Currency: "USD"}}))
	storetest.Commit(t, s, h.Then(ride.Rated{At: h.Tick(), By: ride.ByRider, About: driver.ID, Stars: 5, Comment: markRider + "comment"}))
	require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{{Trip: h.ID, At: h.At, Point: home}}))
	for _, a := range []ride.Account{rider, driver} {
		shown := view.Trip(&h.Trip, view.Reader{Account: a.ID, Role: a.Role})
		reply, err := proto.Marshal(&ridepb.Reply{Result: &ridepb.Reply_Trip{Trip: shown}})
		require.NoError(t, err)
		require.NoError(t, s.Commit(t.Context(), ride.Transition{Command: &ride.CommandRecord{
			Account: a.ID, ID: "answered", Digest: "d", Reply: reply, At: h.At,
		}}))
	}
	return h
}

// TestErase: once a trip's rider or driver is erased, nothing in the database names them, the
// figures stay, the history still leads to the state, and the others keep their names.
func TestErase(t *testing.T) {
	marks := map[ride.AccountID]string{}
	for _, who := range []string{"rider", "driver", "former"} {
		t.Run(who, func(t *testing.T) {
			onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, clock *time.Time) {
				rider := life(t, s, "zzR-", ride.RoleRider, 1)
				driver := life(t, s, "zzD-", ride.RoleDriver, 2)
				former := life(t, s, "zzF-", ride.RoleDriver, 3)
				marks[rider.ID], marks[driver.ID], marks[former.ID] = "zzR-", "zzD-", "zzF-"
				h := shared(t, s, rider, driver, former, "zzR-", "zzD-", "zzF-")
				person := map[string]ride.Account{"rider": rider, "driver": driver, "former": former}[who]

				require.NoError(t, s.Erase(t.Context(), person.ID))
				_, err := s.Account(t.Context(), person.ID)
				require.ErrorIs(t, err, ride.ErrNotFound)
				require.ErrorIs(t, s.Erase(t.Context(), person.ID), ride.ErrNotFound)
				_, err = s.Purge(t.Context())
				require.NoError(t, err)

				all := dump(t, db)
				require.NotContains(t, all, marks[person.ID])
				require.NotContains(t, all, "breadcrumbs.", "the track goes, too")
				for id, mark := range marks {
					if id != person.ID {
						require.Contains(t, all, mark+"first", "the others keep their names")
					}
				}
				switch who {
				case "rider":
					require.NotContains(t, all, "40.7123456")
				case "former":
					require.NotContains(t, all, "40.1111111")
					require.Contains(t, all, "40.2222222")
				case "driver":
					require.NotContains(t, all, "40.2222222")
				}

				now, err := s.Trip(t.Context(), h.ID)
				require.NoError(t, err)
				require.Equal(t, h.Version, now.Version)
				require.Greater(t, now.Fence, h.Fence, "who holds the names in memory must not write them back")
				require.EqualValues(t, 777, now.Fare.Total)
				require.EqualValues(t, 1234, now.TravelledM)
				require.Equal(t, rider.ID, now.Request.Rider.ID)
				require.Equal(t, driver.ID, now.DriverID())
				events, err := s.TripEvents(t.Context(), h.ID)
				require.NoError(t, err)
				var plain []ride.Event
				for _, e := range events {
					plain = append(plain, e.Event)
				}
				replayed := ride.Replay(plain)
				replayed.Fence = now.Fence
				want, err := json.Marshal(now)
				require.NoError(t, err)
				got, err := json.Marshal(replayed)
				require.NoError(t, err)
				require.JSONEq(t, string(want), string(got))

				erased, err := s.ErasedAt(t.Context(), "https://id.example", marks[person.ID]+"subject")
				require.NoError(t, err)
				require.Equal(t, epoch, erased)
				*clock = epoch.Add(72 * time.Hour)
				_, err = s.Purge(t.Context())
				require.NoError(t, err)
				erased, err = s.ErasedAt(t.Context(), "https://id.example", marks[person.ID]+"subject")
				require.NoError(t, err)
				require.Zero(t, erased, "the work is done and forgotten")
			})
		})
	}
}

// TestEraseDuringATrip: a live trip refuses it, and one that slips in is dealt with later.
func TestEraseDuringATrip(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, clock *time.Time) {
		rider, driver := storetest.Created(t, s, 1, ride.RoleRider), storetest.Created(t, s, 2, ride.RoleDriver)
		h := storetest.Matched(t, s, "t1", string(rider.ID), string(driver.ID))
		for _, a := range []ride.Account{rider, driver} {
			require.ErrorIs(t, s.Erase(t.Context(), a.ID), ride.ErrTripActive)
			_, err := s.Account(t.Context(), a.ID)
			require.NoError(t, err, "a refusal changes nothing")
		}
		storetest.Commit(t, s, h.Then(ride.Cancelled{At: h.Tick(), By: ride.ByRider, Reason: "zz-reason"}))
		require.NoError(t, s.Erase(t.Context(), rider.ID))
		late := storetest.Stored(t, s, "t2", string(rider.ID)) // its commit was under way
		_, err := s.Purge(t.Context())
		require.NoError(t, err)
		require.Contains(t, dump(t, db), "Old Mill", "a live trip needs its names")
		*clock = epoch.Add(time.Hour)
		late.At = *clock
		storetest.Commit(t, s, late.Then(ride.Expired{At: late.Tick()}))
		_, err = s.Purge(t.Context())
		require.NoError(t, err)
		for _, gone := range []string{"Old Mill", "Rosa", "zz-reason", "Name1"} {
			require.NotContains(t, dump(t, db), gone)
		}
	})
}

// TestHeld: the export has what is stored, and no secret.
func TestHeld(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, _ *sql.DB, _ *time.Time) {
		rider := life(t, s, "zzR-", ride.RoleRider, 1)
		driver, former := life(t, s, "zzD-", ride.RoleDriver, 2), life(t, s, "zzF-", ride.RoleDriver, 3)
		shared(t, s, rider, driver, former, "zzR-", "zzD-", "zzF-")
		held, err := s.Held(t.Context(), driver.ID)
		require.NoError(t, err)
		for _, table := range []string{"photos", "refresh_tokens", "token_families", "tickets", "offers", "audit"} {
			require.Len(t, held[table], 1, table)
		}
		require.Len(t, held["commands"], 2)
		b, err := json.Marshal(held)
		require.NoError(t, err)
		for _, secret := range []string{"zzD-token", "zzD-ticket", "zzD-family", "zzD-hash", "zzR-", "zzF-", "120.5"} {
			require.NotContains(t, string(b), secret)
		}
		require.Contains(t, string(b), epoch.Format("2006-01-02T15:04:05"), "times are read as times")
	})
}

// TestPruneTrips: trips, their events and the audit go by age; what is live, or young, stays.
func TestPruneTrips(t *testing.T) {
	day := 24 * time.Hour
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, clock *time.Time) {
		old := storetest.Completed(t, s, "old", "r1", "d1")
		live := storetest.Stored(t, s, "live", "r2")
		require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{{Trip: old.ID, At: epoch, Point: home}}))
		for range 2 {
			require.NoError(t, s.AddAudit(t.Context(), ride.AuditEntry{At: epoch, Actor: "op", Action: "x", Subject: "y"}))
		}
		count := func(table string) (n int) {
			t.Helper()
			require.NoError(t, db.QueryRow(`SELECT COUNT(*) FROM `+table).Scan(&n))
			return n
		}
		*clock = epoch.Add(3 * day)
		_, err := s.Purge(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, count("trips"))
		require.Equal(t, 1, count("audit"), "the newest stays, so that numbers rise")
		events, err := s.TripEvents(t.Context(), old.ID)
		require.NoError(t, err)
		if len(events) > 0 {
			// The live trip is as old: only what began before it is surely over.
			storetest.Commit(t, s, live.Then(ride.Expired{At: live.Tick()}))
			_, err = s.Purge(t.Context())
			require.NoError(t, err)
			events, err = s.TripEvents(t.Context(), old.ID)
			require.NoError(t, err)
		}
		require.Empty(t, events)
		require.Zero(t, count("offers"))
		trip, err := s.Trip(t.Context(), old.ID)
		require.NoError(t, err)
		require.Equal(t, old.Version, trip.Version)
		// A late rating goes on counting.
		old.Trip = trip
		storetest.Commit(t, s, old.Then(ride.Rated{At: old.Tick(), By: ride.ByRider, About: "d1", Stars: 4}))

		*clock = epoch.Add(11 * day)
		young, tr := storetest.Requested("young", "r3")
		young.RequestedAt = *clock
		tr.Trip.RequestedAt = *clock
		storetest.Commit(t, s, tr)
		_, err = s.Purge(t.Context())
		require.NoError(t, err)
		_, err = s.Trip(t.Context(), old.ID)
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.TripEvents(t.Context(), old.ID)
		require.ErrorIs(t, err, ride.ErrNotFound)
		require.Equal(t, 1, count("trips"))
		require.Zero(t, count("breadcrumbs"))
	}, func(o *persistence.Options) { o.TripAge, o.EventAge, o.AuditAge = 10*day, 2*day, 2*day })
}
