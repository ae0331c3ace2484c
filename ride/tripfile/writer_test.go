package tripfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/tripfile"
)

var requestedAt = time.Date(2026, 11, 1, 0, 0, 0, 120_000, time.FixedZone("KST", 9*3600))

// completed is a trip that has every value.
func completed() ride.Trip {
	tariff := ride.Tariff{Class: "standard", Currency: "KRW", Base: 4800, PerKm: 1000, PerMinute: 100, Seats: 4}
	fare, _ := tariff.Price(8432.4, 1234*time.Second)
	fare.Basis, fare.Streets = ride.BasisStreets, &ride.StreetCheck{Verdict: ride.StreetsCount, LengthM: 8432.4, PositionsM: 8301.6, Share: 1}
	at := func(s int) time.Time { return requestedAt.Add(time.Duration(s) * time.Second) }
	return ride.Trip{
		ID: "t1", Status: ride.StatusCompleted, PIN: "4711",
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: "r1", FirstName: "민아", PhotoID: "photo-of-rider"},
			Pickup: geo.Point{Lat: 37.4979001, Lng: 127.0276}, Dropoff: geo.Point{Lat: -33.9, Lng: -0.0000001},
			PickupAddress: `12 "Mill" Lane, 2nd floor`, DropoffAddress: "City\nHall", Class: "standard", Passengers: 2, Note: `=HYPERLINK("http://x","y")`,
		},
		Estimate: ride.Estimate{DistanceM: 8000.5, Duration: 20 * time.Minute, Fare: ride.Fare{Currency: "KRW", Total: 14_800}},
		Search:   ride.Search{Asked: 3}, PickupETA: 90 * time.Second,
		Driver:      &ride.DriverCard{ID: "d1", FirstName: "Bo", Plate: "HX 1", PhotoID: "photo-of-driver"},
		RequestedAt: at(0), MatchedAt: at(3), ArrivedAt: at(60), StartedAt: at(90), EndedAt: at(1324),
		Fare: &fare, Cancellation: &ride.Cancellation{By: ride.ByRider, Reason: "+1 came along"}, StarsByRider: 5, StarsByDriver: 4,
	}
}

func written(t *testing.T, f tripfile.Format, trips ...ride.Trip) string {
	t.Helper()
	var out bytes.Buffer
	w, err := tripfile.New(&out, f)
	require.NoError(t, err)
	for i := range trips {
		require.NoError(t, w.Write(&trips[i]))
	}
	require.NoError(t, w.Flush())
	return out.String()
}

// want are the values of the completed trip, as JSON has them.
const want = `{"trip_id":"t1","status":"completed","requested_at":"2026-10-31T15:00:00.000120Z","matched_at":"2026-10-31T15:00:03.000120Z",
"arrived_at":"2026-10-31T15:01:00.000120Z","started_at":"2026-10-31T15:01:30.000120Z","ended_at":"2026-10-31T15:22:04.000120Z","vehicle_class":"standard",
"passengers":2,"rider_id":"r1","rider_first_name":"민아","driver_id":"d1","driver_first_name":"Bo","driver_plate":"HX 1",
"pickup_lat_deg":37.4979001,"pickup_lng_deg":127.0276000,"pickup_address":"12 \"Mill\" Lane, 2nd floor",
"dropoff_lat_deg":-33.9000000,"dropoff_lng_deg":-0.0000001,"dropoff_address":"City\nHall","note":"=HYPERLINK(\"http://x\",\"y\")",
"drivers_asked":3,"pickup_eta_s":90,"estimated_distance_m":8001,"estimated_duration_s":1200,"estimated_fare_minor":14800,
"distance_m":8432,"duration_s":1234,"distance_basis":"streets","fare_minor":15289,"currency":"KRW","currency_digits":0,
"cancelled_by":"rider","cancellation_reason":"+1 came along","stars_by_rider":5,"stars_by_driver":4,
"streets_verdict":"counts","streets_distance_m":8432,"positions_distance_m":8302}`

func TestJSONLines(t *testing.T) {
	got := written(t, tripfile.JSONLines, completed(), ride.Trip{ID: "bare"})
	lines := strings.Split(got, "\n")
	require.Len(t, lines, 3)
	require.Equal(t, strings.ReplaceAll(want, "\n", ""), lines[0]) //nolint:testifylint // the order of keys counts
	var bare map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &bare))
	require.Len(t, bare, len(tripfile.Columns()), "each line has all keys")
	require.Nil(t, bare["driver_id"])
	require.Nil(t, bare["fare_minor"])
	require.Nil(t, bare["matched_at"])
	require.Empty(t, written(t, tripfile.JSONLines))
}

// TestCSVAgreesWithJSON: the same values, except that formulas are disarmed.
func TestCSVAgreesWithJSON(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(written(t, tripfile.CSV, completed(), ride.Trip{ID: "bare"}))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	decoder := json.NewDecoder(strings.NewReader(want))
	decoder.UseNumber()
	var values map[string]any
	require.NoError(t, decoder.Decode(&values))
	for i, c := range tripfile.Columns() {
		require.Equal(t, c.Name, rows[0][i])
		value := ""
		switch v := values[c.Name].(type) {
		case string:
			value = v
		case json.Number:
			value = v.String()
		}
		if c.Name == "note" || c.Name == "cancellation_reason" {
			value = "'" + value
		}
		require.Equal(t, value, rows[1][i], c.Name)
	}
	require.Empty(t, rows[2][indexOf(t, "fare_minor")])
	require.Equal(t, strings.Join(rows[0], ",")+"\n", written(t, tripfile.CSV), "a file without trips has its headings")
}

func indexOf(t *testing.T, name string) int {
	t.Helper()
	for i, c := range tripfile.Columns() {
		if c.Name == name {
			return i
		}
	}
	t.Fatal("no column ", name)
	return 0
}

// TestFormulasAreDisarmed: words never begin with what a spreadsheet computes, and numbers stay numbers.
func TestFormulasAreDisarmed(t *testing.T) {
	words := []string{"rider_first_name", "driver_first_name", "driver_plate", "pickup_address", "dropoff_address", "note", "cancellation_reason", "vehicle_class"}
	for _, begin := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		trip := completed()
		evil := begin + "cmd|' /C calc'!A0"
		trip.Request.Rider.FirstName, trip.Request.PickupAddress, trip.Request.DropoffAddress = evil, evil, evil
		trip.Request.Note, trip.Request.Class, trip.Driver.FirstName, trip.Driver.Plate = evil, evil, evil, evil
		trip.Cancellation.Reason = evil
		rows, err := csv.NewReader(strings.NewReader(written(t, tripfile.CSV, trip))).ReadAll()
		require.NoError(t, err)
		for _, name := range words {
			require.Equal(t, "'"+evil, rows[1][indexOf(t, name)], "%q in %s", begin, name)
		}
		lng, err := strconv.ParseFloat(rows[1][indexOf(t, "dropoff_lng_deg")], 64)
		require.NoError(t, err)
		require.Negative(t, lng)
	}
}

// TestFormulasAreDisarmedForEverySeparator: no spreadsheet computes words, whatever it splits lines at.
func TestFormulasAreDisarmedForEverySeparator(t *testing.T) {
	for words, want := range map[string]string{
		"a;=1+1;":           "a;'=1+1;",
		"x;=cmd|' /C'!A0":   "x;'=cmd|' /C'!A0",
		"a\n=1":             "a\n'=1",
		"a\r\n=1":           "a\r\n'=1",
		"a\r=1":             "a\r'=1",
		"a;\t@x":            "a;'\t'@x",
		"a;  +1":            "a;'  +1",
		"a;\u00a0－1":        "a;'\u00a0－1",
		`a;"=1+1;"`:         `a;'"=1+1;"`,
		" =1":               "' =1",
		"=1;=1":             "'=1;'=1",
		";-1":               ";'-1",
		"\xff;=\xff":        "\xff;'=\xff",
		"two lines\n\nmore": "two lines\n\nmore",
		"1+1=2; a-b":        "1+1=2; a-b",
		"a;b\tc":            "a;b\tc",
		"":                  "",
	} {
		trip := completed()
		trip.Request.DropoffAddress, trip.Request.Note = "", words
		got := written(t, tripfile.CSV, trip)
		rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, strings.ReplaceAll(want, "\r\n", "\n"), rows[1][indexOf(t, "note")], "%q", words) // the reader's own doing
		for _, comma := range []rune{';', '\t'} {
			for _, cell := range cells(t, got, comma) {
				cell = strings.TrimLeft(cell, ` "`)
				require.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@"), "%q split at %q has the cell %q", words, comma, cell)
			}
		}
	}
}

// cells reads a file as a spreadsheet does that splits lines at another character: quotes count at the
// beginning of a cell alone, and elsewhere a line ends where it ends.
func cells(t *testing.T, file string, comma rune) []string {
	t.Helper()
	var out []string
	for _, lines := range []string{file, strings.ReplaceAll(file, "\r", "\n")} {
		r := csv.NewReader(strings.NewReader(lines))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
		rows, err := r.ReadAll()
		require.NoError(t, err)
		for _, row := range rows {
			out = append(out, row...)
		}
	}
	return out
}

// TestNoSecrets: what the console does not show is not in the file.
func TestNoSecrets(t *testing.T) {
	for _, f := range []tripfile.Format{tripfile.CSV, tripfile.JSONLines} {
		got := written(t, f, completed())
		for _, secret := range []string{"4711", "photo-of"} {
			require.NotContains(t, got, secret)
		}
	}
}

// TestErasedPeople: of an erased person the figures stay.
func TestErasedPeople(t *testing.T) {
	trip := ride.ForgetTrip(ride.ForgetTrip(completed(), "r1"), "d1")
	got := written(t, tripfile.JSONLines, trip)
	for _, word := range []string{"민아", "Bo", "HX 1", "Mill", "Hall", "HYPERLINK", "came along", "37.4979001"} {
		require.NotContains(t, got, word)
	}
	require.Contains(t, got, `"fare_minor":15289`)
	require.Contains(t, got, `"rider_first_name":null`)
}

func TestUnknownFormat(t *testing.T) {
	_, err := tripfile.New(&bytes.Buffer{}, "xlsx")
	require.ErrorIs(t, err, ride.ErrInvalidArgument)
}

// broken refuses what is written.
type broken struct{}

var errFull = errors.New("disk full")

func (broken) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreSeen(t *testing.T) {
	for _, f := range []tripfile.Format{tripfile.CSV, tripfile.JSONLines} {
		w, err := tripfile.New(broken{}, f)
		require.NoError(t, err)
		trip := completed()
		require.NoError(t, w.Write(&trip))
		require.ErrorIs(t, w.Flush(), errFull)
	}
}

// TestColumnsAreDocumented: the manual has each column, in this order. HEXHAIL_UPDATE=1 writes it.
func TestColumnsAreDocumented(t *testing.T) {
	const page, begin, end = "../../docs/operations.md", "<!-- made by tripfile.Columns: begin -->\n", "<!-- made by tripfile.Columns: end -->\n"
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(b), begin)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	table := "| column | what it is |\n|---|---|\n"
	for _, c := range tripfile.Columns() {
		table += "| `" + c.Name + "` | " + c.Doc + " |\n"
	}
	text := head + begin + table + end + tail
	if os.Getenv("HEXHAIL_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(page, []byte(text), 0o644))
		return
	}
	require.Equal(t, text, string(b), "run this test with HEXHAIL_UPDATE=1")
}
