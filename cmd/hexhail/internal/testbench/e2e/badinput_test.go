package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

const maxMessage = 64 << 10

// header is a masked frame's, without its payload.
func header(first byte, length uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, length)
	return append(b, 1, 2, 3, 4)
}

// brokenFrames are breaches of RFC 6455 and of Hexhail's limits, with the close code that they get.
func brokenFrames(op byte) map[string]struct {
	bytes []byte
	code  int
} {
	type broken = struct {
		bytes []byte
		code  int
	}
	part := bytes.Repeat([]byte("x"), 30<<10)
	return map[string]broken{
		"reserved bit":             {harness.Frame(op|0x40, []byte("{}")), 1002},
		"all reserved bits":        {harness.Frame(op|0x70, []byte("{}")), 1002},
		"reserved opcode":          {harness.Frame(0x83, []byte("{}")), 1002},
		"reserved control":         {harness.Frame(0x8b, nil), 1002},
		"not masked":               {[]byte{op, 2, '{', '}'}, 1002},
		"fragmented ping":          {harness.Frame(0x09, []byte("p")), 1002},
		"long ping":                {harness.Frame(0x89, bytes.Repeat([]byte("p"), 126)), 1002},
		"continuation of nothing":  {harness.Frame(0x80, []byte("x")), 1002},
		"message inside another":   {append(harness.Frame(op&0xf, []byte("x")), harness.Frame(op, []byte("y"))...), 1002},
		"close of one byte":        {harness.Frame(0x88, []byte{3}), 1002},
		"close with a bad code":    {harness.Frame(0x88, []byte{3, 237}), 1002}, // 1005 never travels
		"text that is not UTF-8":   {harness.Frame(0x81, []byte{'"', 0xff, 0xfe, '"'}), 1007},
		"a frame of a terabyte":    {header(op, 1<<40), 1009},
		"length of 64 bits":        {header(op, 1<<63), 1002},
		"a frame too big":          {header(op, maxMessage+1), 1009},
		"fragments too big in sum": {slicesOf(harness.Frame(op&0xf, part), harness.Frame(0, part), harness.Frame(0, part)), 1009},
	}
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// unchanged returns a check that nothing has been written since.
func (w *world) unchanged() func() {
	w.t.Helper()
	token := w.s.Token(ride.RoleOperator, w.name(ride.RoleOperator))
	state := func() string {
		_, people := w.s.Call(http.MethodGet, "/v1/admin/accounts?limit=100", token, "")
		_, trips := w.s.Call(http.MethodGet, "/v1/admin/trips?limit=100", token, "")
		require.Contains(w.t, people+trips, `"items"`)
		return people + trips
	}
	before := state()
	return func() { require.Equal(w.t, before, state(), "something was written") }
}

func TestBrokenFrames(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		witness := w.rider()
		token := w.s.Token(ride.RoleRider, w.name(ride.RoleRider))
		c, _ := harness.Connect(t, w.s, codec, token, nil) // its account exists from here on
		c.Drop()
		op := byte(0x81)
		if codec.Binary() {
			op = 0x82
		}
		same := w.unchanged()
		for name, broken := range brokenFrames(op) {
			for _, connected := range []bool{false, true} {
				r := harness.DialRaw(t, w.s, codec, 0)
				if connected {
					r.Connect(token)
				}
				r.WriteRaw(broken.bytes)
				require.Equal(t, broken.code, r.CloseCode(), "%s, connected: %t", name, connected)
			}
			require.NotNil(t, witness.Ask(harness.Ping()).GetPong(), name)
		}
		// The wrong kind of message does not breach RFC 6455.
		r := harness.DialRaw(t, w.s, codec, 0)
		r.WriteRaw(harness.Frame(op^3, []byte("{}")))
		refused(t, ride.ErrMalformed, r.Next().GetReply())
		require.EqualValues(t, ridepb.CloseProtocolError, r.CloseCode())
		same()
	})
}

// badJSON are text messages from a connected rider that are not messages of the protocol, or have
// values that no field may have.
func badJSON() map[string]struct {
	text string
	code *ride.Error
} {
	type bad = struct {
		text string
		code *ride.Error
	}
	at := func(lat, lng string) string {
		return fmt.Sprintf(`{"id":"1","get_quote":{"pickup":{"lat":%s,"lng":%s},"dropoff":{"lat":1,"lng":2}}}`, lat, lng)
	}
	return map[string]bad{
		"nothing":          {``, ride.ErrMalformed},
		"half":             {`{"id":"1","ping":`, ride.ErrMalformed},
		"an array":         {`[1]`, ride.ErrMalformed},
		"too deep":         {`{"id":"1","get_quote":` + strings.Repeat(`{"pickup":`, 40) + `1` + strings.Repeat(`}`, 41), ride.ErrMalformed},
		"very deep":        {strings.Repeat(`[`, 60_000), ride.ErrMalformed},
		"a key twice":      {`{"id":"1","ping":{},"id":"2"}`, ride.ErrMalformed},
		"two bodies":       {`{"id":"1","ping":{},"go_offline":{}}`, ride.ErrMalformed},
		"another case":     {`{"id":"1","Ping":{}}`, ride.ErrMalformed},
		"both cases":       {`{"id":"1","ID":"2","ping":{}}`, ride.ErrMalformed},
		"an unknown field": {`{"id":"1","ping":{"x":1}}`, ride.ErrMalformed},
		"two messages":     {`{"id":"1","ping":{}}{"id":"2","ping":{}}`, ride.ErrMalformed},
		"NUL":              {`{"id":"1","cancel_trip":{"trip_id":"a\u0000b"}}`, ride.ErrInvalidArgument},
		"a raw NUL":        {"{\"id\":\"1\",\"cancel_trip\":{\"trip_id\":\"a\x00b\"}}", ride.ErrMalformed},
		"half a surrogate": {`{"id":"1","cancel_trip":{"trip_id":"\ud800"}}`, ride.ErrMalformed},
		"a huge number":    {`{"id":"1","rate_trip":{"trip_id":"a","stars":1e400}}`, ride.ErrInvalidArgument},
		"too many digits":  {`{"id":"1","rate_trip":{"trip_id":"a","stars":` + strings.Repeat("9", 5000) + `}}`, ride.ErrInvalidArgument},
		"a negative count": {`{"id":"1","rate_trip":{"trip_id":"a","stars":-1}}`, ride.ErrInvalidArgument},
		"NaN":              {at("NaN", "1"), ride.ErrMalformed},
		"NaN as text":      {at(`"NaN"`, "1"), ride.ErrMalformed},
		"Infinity":         {at("Infinity", "1"), ride.ErrMalformed},
		"latitude 91":      {at("91", "1"), ride.ErrInvalidPoint},
		"longitude 181":    {at("1", "181"), ride.ErrInvalidPoint},
		"latitude 1e308":   {at("1e308", "1"), ride.ErrInvalidArgument},
		"latitude 1e999":   {at("1e999", "1"), ride.ErrInvalidArgument},
		"0,0":              {at("0", "0"), ride.ErrInvalidPoint},
		"half a point":     {`{"id":"1","get_quote":{"pickup":{"lat":1}}}`, ride.ErrInvalidArgument},
	}
}

func TestBadJSON(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), wire.JSON)
		c := w.rider()
		same := w.unchanged()
		for name, bad := range badJSON() {
			before := len(c.Replies())
			c.SendRaw([]byte(bad.text))
			harness.Until(t, name, func() bool { return len(c.Replies()) > before })
			last := c.Last()
			require.Equal(t, bad.code.Code, last.GetError().GetCode(), "%s: %v", name, last)
			require.NotNil(t, c.Ask(harness.Ping()).GetPong(), name)
		}
		same()
	})
}

// Protobuf can be malformed in other ways.
func TestBadProtobuf(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), wire.Binary)
		c := w.rider()
		same := w.unchanged()
		quote := func(lat, lng int32) []byte {
			f := harness.Quote(w.at, w.to)
			f.Id = "q"
			f.GetGetQuote().Pickup = &ridepb.Point{LatE7: lat, LngE7: lng}
			return encode(w, f)
		}
		for name, bad := range map[string]struct {
			bytes []byte
			code  *ride.Error
		}{
			"noise":             {[]byte{0xff, 0xff, 0xff}, ride.ErrMalformed},
			"a length too long": {[]byte{0x0a, 0x7f, 'a'}, ride.ErrMalformed},
			"no body":           {[]byte{0x0a, 1, 'a'}, ride.ErrMalformed},
			"an unknown body":   {[]byte{0x0a, 1, 'a', 0xfa, 0x3f, 0}, ride.ErrMalformed},
			"text not UTF-8":    {[]byte{0x0a, 2, 0xff, 0xfe, 0x1a, 0}, ride.ErrMalformed},
			"latitude 91":       {quote(910_000_000, 1), ride.ErrInvalidPoint},
			"smallest latitude": {quote(math.MinInt32, 1), ride.ErrInvalidPoint},
			"longitude 181":     {quote(1, 1_810_000_000), ride.ErrInvalidPoint},
			"0,0":               {quote(0, 0), ride.ErrInvalidPoint},
		} {
			before := len(c.Replies())
			c.SendRaw(bad.bytes)
			harness.Until(t, name, func() bool { return len(c.Replies()) > before })
			require.Equal(t, bad.code.Code, c.Last().GetError().GetCode(), "%s: %v", name, c.Last())
			require.NotNil(t, c.Ask(harness.Ping()).GetPong(), name)
		}
		same()
	})
}

// pentagons are the centres of the twelve pentagons.
var pentagons = []geo.Point{
	{Lat: 64.7, Lng: 10.53619}, {Lat: 58.28252, Lng: 103.0}, {Lat: 50.10320, Lng: -143.47849}, {Lat: 39.1, Lng: 122.3},
	{Lat: 23.71793, Lng: -67.13232}, {Lat: 10.44734, Lng: 58.15771}, {Lat: -10.44734, Lng: -121.84229},
	{Lat: -23.71793, Lng: 112.86768}, {Lat: -39.1, Lng: -57.7}, {Lat: -50.10320, Lng: 36.52151},
	{Lat: -58.39715, Lng: -77.0}, {Lat: -64.7, Lng: -169.46381},
}

// The ends of the Earth are places like any other.
func TestOddPlaces(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		rider := w.rider()
		d, _ := w.join(ride.RoleDriver)
		odd := append([]geo.Point{
			{Lat: 90, Lng: 1}, {Lat: -90, Lng: 1}, {Lat: 90, Lng: 180}, {Lat: 1, Lng: 180}, {Lat: 1, Lng: -180},
			{Lat: 89.9999999, Lng: -179.9999999},
		}, pentagons...)
		for _, p := range odd {
			r := rider.Ask(harness.Quote(p, geo.Destination(p, 180, 2000)))
			require.NotEmpty(t, r.GetQuotes().GetQuotes(), "%v: %v", p, r)
			require.NotNil(t, d.Ask(harness.GoOnline(p)).GetDone(), "%v", p)
		}
	})
}

// Impossible times and positions are refused or ignored.
func TestBadPositions(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		rider, d := w.rider(), w.driver(10)
		far := geo.Destination(w.at, 0, 50_000)
		say := func(id string, change func(*ridepb.Location)) *ridepb.ClientFrame {
			f := harness.At(far)
			change(f.GetLocation())
			f.Id = id
			return f
		}
		for name, change := range map[string]func(*ridepb.Location){
			"latitude 100": func(l *ridepb.Location) { l.Point = &ridepb.Point{LatE7: 1_000_000_000, LngE7: 1} },
			"no point":     func(l *ridepb.Location) { l.Point = nil },
		} {
			e := d.Ask(say(strings.ReplaceAll(name, " ", "-"), change)).GetError()
			require.Contains(t, []string{ride.ErrInvalidArgument.Code, ride.ErrInvalidPoint.Code}, e.GetCode(), "%s: %v", name, e)
			require.Contains(t, e.GetField(), "location.", name)
		}
		// These are well formed but implausible: the driver stays where it was.
		ago := func(d time.Duration) func(*ridepb.Location) {
			return func(l *ridepb.Location) { l.DeviceTime = timestamppb.New(time.Now().Add(-d)) }
		}
		d.Send(say("", ago(3*time.Minute)))
		d.Send(say("", ago(-time.Hour)))
		d.Send(say("", ago(0))) // 50 km in no time
		require.NotNil(t, d.Ask(harness.Ping()).GetPong())
		require.Equal(t, 1, w.nearby(rider))
		w.at, w.to = far, geo.Destination(far, 90, 3000)
		require.Zero(t, w.nearby(rider))
	})
}

// Unknown measurements cost a driver neither the position nor the session, however often and in
// whatever form they are sent.
func TestPositionsWithoutMeasurements(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		w := newWorld(t, start(), codec)
		rider, d := w.rider(), w.driver(10)
		unknown := []float32{-1, 360, 361, 1e30}
		if codec.Binary() { // JSON cannot say it
			unknown = append(unknown, float32(math.NaN()), float32(math.Inf(1)))
		}
		times := []*timestamppb.Timestamp{nil, {}, {Seconds: -315619200}, {Seconds: 253402300799}, {Seconds: 978307200}}
		for i := range 35 { // as many refusals would end the session
			f := harness.At(geo.Destination(w.at, 0, float64(10+i)))
			l, x := f.GetLocation(), unknown[i%len(unknown)]
			l.HeadingDeg, l.SpeedMps, l.AccuracyM, l.DeviceTime = x, x, x, times[i%len(times)]
			d.Send(f)
			require.NotNil(t, d.Ask(harness.Ping()).GetPong())
		}
		require.Equal(t, 1, w.nearby(rider))
	})
}

// The same holds for HTTP.
func TestBadHTTP(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		w := newWorld(t, start(harness.Options{}), codecs[0])
		witness := w.rider()
		token := w.s.Token(ride.RoleRider, witness.Name)
		same := w.unchanged()
		good := harness.SignUpBody(ride.RoleRider, "never-made")
		for name, body := range map[string]string{
			"empty": "", "half": good[:20], "an array": "[]", "a key twice": strings.Replace(good, "{", `{"role":"driver",`, 1),
			"another case": strings.Replace(good, `"role"`, `"Role"`, 1), "both cases": strings.Replace(good, "{", `{"Role":"driver",`, 1),
			"too deep": strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "too large": `{"username":"` + strings.Repeat("a", 70<<10) + `"}`,
			"NUL": strings.Replace(good, "First", `F\u0000t`, 1), "a huge number": strings.Replace(good, `"First"`, "1e400", 1),
			"two values": good + good, "unknown field": strings.Replace(good, "{", `{"admin":true,`, 1),
		} {
			status, answer := w.s.Call(http.MethodPost, "/v1/accounts", "", body)
			require.GreaterOrEqual(t, status, 400, name)
			require.Less(t, status, 500, "%s: %s", name, answer)
			require.Contains(t, answer, `"code":"`, name)
		}
		for _, path := range []string{
			"/v1/trips?limit=0", "/v1/trips?limit=100000", "/v1/trips?limit=x", "/v1/trips?cursor=%00", "/v1/trips?status=flying",
			"/v1/trips?nonsense=1", "/v1/trips/" + strings.Repeat("a", 2000), "/v1/trips/%00", "/v1/nothing", "/v1/photos/..%2f..%2fetc",
		} {
			status, answer := w.s.Call(http.MethodGet, path, token, "")
			require.GreaterOrEqual(t, status, 400, path)
			require.Less(t, status, 500, "%s: %s", path, answer)
		}
		require.NotNil(t, witness.Ask(harness.Ping()).GetPong())
		same()
	})
}

// A flood of the largest and worst messages does not increase memory.
func TestMemoryStaysBounded(t *testing.T) {
	onStores(t, func(t *testing.T, start func(harness.Options) *harness.Server) {
		s := start(harness.Options{Child: true})
		w := newWorld(t, s, wire.JSON)
		witness := w.rider()
		flood := func(n int) {
			for i := range n {
				r := harness.DialRaw(t, s, wire.JSON, 0)
				switch i % 4 {
				case 0: // half of the largest message, never the rest
					r.WriteRaw(harness.Frame(0x01, bytes.Repeat([]byte("x"), maxMessage/2)))
				case 1: // promises a terabyte
					r.WriteRaw(header(0x81, 1<<40))
				case 2: // the deepest nesting that fits
					r.WriteRaw(harness.Frame(0x81, bytes.Repeat([]byte("["), maxMessage)))
				case 3: // fragments without an end
					for range 200 {
						r.WriteRaw(harness.Frame(0x00, []byte("x")))
					}
				}
				if i%4 == 0 {
					continue // left open: all of these at once
				}
				r.CloseCode()
				_ = r.Close()
			}
		}
		flood(40) // buffers that are kept from here on
		before := s.Heap()
		flood(800)
		// Connected clients that keep sending refused messages as long as they can.
		deep := bytes.Repeat([]byte("["), maxMessage-1)
		for range 8 {
			c := w.rider()
			for range 30 {
				for range 10 {
					c.SendRaw(deep)
				}
				require.NotNil(t, c.Ask(harness.Ping()).GetPong())
			}
		}
		after := s.Heap()
		t.Logf("heap: %.1f MB before, %.1f MB after; %.0f MB resident", before/1e6, after/1e6,
			s.Metric("process_resident_memory_bytes")/1e6)
		require.Positive(t, before)
		require.Less(t, after-before, 24e6, "180 MB were sent, of which 200 sockets hold 32 KB each")
		require.NotNil(t, witness.Ask(harness.Ping()).GetPong())
	})
}
