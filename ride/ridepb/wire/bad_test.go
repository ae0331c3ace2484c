package wire

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// refusal is what a bad frame must lead to. Malformed is derived from the reason.
type refusal struct {
	id, field string
	reason    Reason
}

func requireRefusal(t *testing.T, want refusal, err error) {
	t.Helper()
	var got *DecodeError
	require.ErrorAs(t, err, &got)
	require.Equal(t, want, refusal{got.ID, got.Field, got.Reason})
	require.NotEqual(t, errors.Is(err, ErrMalformed), errors.Is(err, ErrInvalidValue))
	require.Contains(t, sentences, got.Reason)
	require.Contains(t, err.Error(), got.Field)
}

func TestBadJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	point := func(s string) string { return `{"id":"a","location":{"point":` + s + `}}` }
	const at = "location.point"
	cases := map[string]struct {
		json string
		want refusal
	}{
		"empty":              {``, refusal{"", "", ReasonSyntax}},
		"white space":        {" \n", refusal{"", "", ReasonSyntax}},
		"cut":                {`{"id":"a","ping":{`, refusal{"a", "", ReasonSyntax}},
		"not an object":      {`[]`, refusal{"", "", ReasonWrongType}},
		"null":               {`null`, refusal{"", "", ReasonWrongType}},
		"trailing value":     {`{"id":"a","ping":{}}{}`, refusal{"a", "", ReasonTrailingData}},
		"trailing text":      {`{"id":"a","ping":{}}x`, refusal{"a", "", ReasonTrailingData}},
		"comment":            {`{"id":"a",/**/"ping":{}}`, refusal{"a", "", ReasonSyntax}},
		"trailing comma":     {`{"id":"a","ping":{},}`, refusal{"a", "", ReasonSyntax}},
		"byte order mark":    {"\ufeff" + `{"id":"a","ping":{}}`, refusal{"", "", ReasonSyntax}},
		"invalid UTF-8":      {"{\"id\":\"a\",\"start_trip\":{\"pin\":\"\xff\"}}", refusal{"a", "", ReasonNotUTF8}},
		"overlong UTF-8":     {"{\"id\":\"a\",\"start_trip\":{\"pin\":\"\xc0\x80\"}}", refusal{"a", "", ReasonNotUTF8}},
		"lone surrogate":     {`{"id":"a","start_trip":{"pin":"\ud800"}}`, refusal{"a", "", ReasonSyntax}},
		"raw NUL":            {"{\"id\":\"a\",\"start_trip\":{\"pin\":\"\x00\"}}", refusal{"a", "", ReasonSyntax}},
		"escaped NUL":        {`{"id":"a","start_trip":{"pin":"1\u0000"}}`, refusal{"a", "start_trip.pin", ReasonNUL}},
		"NUL in id":          {`{"id":"a\u0000","ping":{}}`, refusal{"", "id", ReasonNUL}},
		"no body":            {`{"id":"a"}`, refusal{"a", "", ReasonNoBody}},
		"null body":          {`{"id":"a","ping":null}`, refusal{"a", "", ReasonNoBody}},
		"two bodies":         {`{"id":"a","ping":{},"go_offline":{}}`, refusal{"a", "go_offline", ReasonSeveralBodies}},
		"unknown field":      {`{"id":"a","pong":{}}`, refusal{"a", "", ReasonUnknownField}},
		"unknown below":      {`{"id":"a","accept_offer":{"id":"o"}}`, refusal{"a", "accept_offer", ReasonUnknownField}},
		"id after the fault": {`{"pong":{"x":[1,{}]},"id":"a"}`, refusal{"a", "", ReasonUnknownField}},
		"duplicate":          {`{"id":"a","ping":{},"ping":{}}`, refusal{"a", "", ReasonDuplicate}},
		"duplicate id":       {`{"id":"a","id":"b","ping":{}}`, refusal{"a", "", ReasonDuplicate}},
		"duplicate escaped":  {`{"id":"a","\u0069d":"b","ping":{}}`, refusal{"a", "", ReasonDuplicate}},
		"case variant":       {`{"id":"a","Id":"b","ping":{}}`, refusal{"a", "", ReasonUnknownField}},
		"upper case":         {`{"id":"a","PING":{}}`, refusal{"a", "", ReasonUnknownField}},
		"camel case":         {`{"id":"a","goOffline":{}}`, refusal{"a", "", ReasonUnknownField}},
		"camel case below":   {`{"id":"a","accept_offer":{"offerId":"o"}}`, refusal{"a", "accept_offer", ReasonUnknownField}},
		"extension name":     {`{"id":"a","[hexhail.v1.x]":{}}`, refusal{"a", "", ReasonUnknownField}},
		"any type":           {`{"@type":"x","id":"a","ping":{}}`, refusal{"a", "", ReasonUnknownField}},
		"id is a number":     {`{"id":7,"ping":{}}`, refusal{"", "id", ReasonWrongType}},
		"text is a list":     {`{"id":"a","start_trip":{"pin":["1"]}}`, refusal{"a", "start_trip.pin", ReasonWrongType}},
		"message is text":    {`{"id":"a","ping":"x"}`, refusal{"a", "ping", ReasonWrongType}},
		"message is a list":  {`{"id":"a","ping":[]}`, refusal{"a", "ping", ReasonWrongType}},
		"number is text":     {`{"id":"a","rate_trip":{"stars":"5"}}`, refusal{"a", "rate_trip.stars", ReasonWrongType}},
		"number is true":     {`{"id":"a","rate_trip":{"stars":true}}`, refusal{"a", "rate_trip.stars", ReasonWrongType}},
		"half a star":        {`{"id":"a","rate_trip":{"stars":4.5}}`, refusal{"a", "rate_trip.stars", ReasonWrongType}},
		"negative":           {`{"id":"a","rate_trip":{"stars":-1}}`, refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"over 32 bits":       {`{"id":"a","rate_trip":{"stars":4294967296}}`, refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"over 64 bits":       {`{"id":"a","rate_trip":{"stars":18446744073709551617}}`, refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"huge number":        {`{"id":"a","rate_trip":{"stars":1e999999999}}`, refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"very long number":   {`{"id":"a","rate_trip":{"stars":` + strings.Repeat("9", 60_000) + `}}`, refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"leading zero":       {`{"id":"a","rate_trip":{"stars":05}}`, refusal{"a", "", ReasonSyntax}},
		"plus sign":          {`{"id":"a","rate_trip":{"stars":+5}}`, refusal{"a", "", ReasonSyntax}},
		"float NaN":          {`{"id":"a","location":{"speed_mps":NaN}}`, refusal{"a", "", ReasonSyntax}},
		"float is a list":    {`{"id":"a","location":{"speed_mps":[8.5]}}`, refusal{"a", "location.speed_mps", ReasonWrongType}},
		"float is an object": {`{"id":"a","location":{"speed_mps":{}}}`, refusal{"a", "location.speed_mps", ReasonWrongType}},
		"empty point":        {point(`{}`), refusal{"a", at, ReasonIncompletePoint}},
		"only lat":           {point(`{"lat":1}`), refusal{"a", at, ReasonIncompletePoint}},
		"only lng":           {point(`{"lng":1}`), refusal{"a", at, ReasonIncompletePoint}},
		"lat twice":          {point(`{"lat":1,"lat":2,"lng":1}`), refusal{"a", at, ReasonDuplicate}},
		"lat null":           {point(`{"lat":null,"lng":1}`), refusal{"a", at + ".lat", ReasonWrongType}},
		"lat text":           {point(`{"lat":"1","lng":1}`), refusal{"a", at + ".lat", ReasonWrongType}},
		"lat_e7":             {point(`{"lat_e7":1,"lng_e7":1}`), refusal{"a", at, ReasonUnknownField}},
		"latE7":              {point(`{"latE7":1,"lngE7":1}`), refusal{"a", at, ReasonUnknownField}},
		"LAT":                {point(`{"lat":1,"lng":1,"LAT":2}`), refusal{"a", at, ReasonUnknownField}},
		"point is a list":    {point(`[1,2]`), refusal{"a", at, ReasonWrongType}},
		"lat 1e308":          {point(`{"lat":1e308,"lng":1}`), refusal{"a", at + ".lat", ReasonOutOfRange}},
		"lng -1e308":         {point(`{"lat":1,"lng":-1e308}`), refusal{"a", at + ".lng", ReasonOutOfRange}},
		"lat 1e309":          {point(`{"lat":1e309,"lng":1}`), refusal{"a", at + ".lat", ReasonOutOfRange}},
		"lng over 32 bits":   {point(`{"lat":1,"lng":214.7483648}`), refusal{"a", at + ".lng", ReasonOutOfRange}},
		"time is a list":     {`{"id":"a","location":{"device_time":["2023-11-14T22:13:20Z"]}}`, refusal{"a", "location.device_time", ReasonWrongType}},
		"time is an object":  {`{"id":"a","location":{"device_time":{"seconds":1}}}`, refusal{"a", "location.device_time", ReasonWrongType}},
		"too deep":           {`{"id":"a","x":` + deep(MaxDepth) + `}`, refusal{"a", "", ReasonTooDeep}},
		"very deep":          {`{"id":"a","x":` + deep(30_000) + `}`, refusal{"a", "", ReasonTooDeep}},
		"unclosed":           {strings.Repeat(`{"a":`, 12_000), refusal{"", "", ReasonTooDeep}},
		"too large":          {`{"id":"a","note":"` + strings.Repeat("x", MaxClientBytes) + `"}`, refusal{"", "", ReasonTooLarge}},
		"id too long to say": {`{"id":"` + strings.Repeat("x", 65) + `"}`, refusal{"", "", ReasonNoBody}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			frame, err := JSON.DecodeClient([]byte(c.json))
			requireRefusal(t, c.want, err)
			require.Nil(t, frame)
		})
	}
}

func TestUnusualButGoodJSON(t *testing.T) {
	deepest := strings.Repeat(`[`, MaxDepth-1) + strings.Repeat(`]`, MaxDepth-1)
	_, err := JSON.DecodeServer([]byte(`{"new":` + deepest + `,"brackets":"` + strings.Repeat(`[\"`, 50) + `"}`))
	require.NoError(t, err)

	frame, err := JSON.DecodeClient([]byte(" {\"\\u0069d\" : \"\\u00e9\" , \"request_trip\":{\"pickup\":{\"lng\":-0.00000004,\"lat\":9e1}," +
		"\"dropoff\":null,\"passengers\":2.0,\"note\":null}}\n"))
	require.NoError(t, err)
	require.Equal(t, "é", frame.Id)
	trip := frame.GetRequestTrip()
	require.Equal(t, []int32{900000000, 0}, []int32{trip.Pickup.LatE7, trip.Pickup.LngE7})
	require.Nil(t, trip.Dropoff)
	require.Equal(t, uint32(2), trip.Passengers)

	// Whether 91 degrees are a place is for the domain to refuse.
	frame, err = JSON.DecodeClient([]byte(`{"location":{"point":{"lat":91,"lng":-181}}}`))
	require.NoError(t, err)
	require.Equal(t, int32(910000000), frame.GetLocation().Point.LatE7)
}

func TestBadBinary(t *testing.T) {
	// frame builds a client frame by hand: id "a" and one body.
	frame := func(number protowire.Number, body ...byte) []byte {
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "a")
		return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), body)
	}
	varint := func(number protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
	}
	text := func(number protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), s)
	}
	const ping, goOffline, location, accept, start, rate = 3, 5, 6, 10, 13, 15
	cases := map[string]struct {
		data []byte
		want refusal
	}{
		"empty":              {nil, refusal{"", "", ReasonNoBody}},
		"no body":            {text(1, "a"), refusal{"a", "", ReasonNoBody}},
		"cut tag":            {append(text(1, "a"), 0xff), refusal{"a", "", ReasonSyntax}},
		"cut body":           {frame(ping, 1, 2)[:6], refusal{"a", "ping", ReasonSyntax}},
		"announced 2 GB":     {append(text(1, "a"), 0x1a, 0xff, 0xff, 0xff, 0xff, 0x07), refusal{"a", "ping", ReasonSyntax}},
		"field 0":            {append(text(1, "a"), 0x02, 0x00), refusal{"a", "", ReasonSyntax}},
		"unknown field":      {frame(99), refusal{"a", "", ReasonUnknownField}},
		"unknown below":      {frame(accept, varint(9, 1)...), refusal{"a", "accept_offer", ReasonUnknownField}},
		"group":              {append(text(1, "a"), 0x1b, 0x1c), refusal{"a", "ping", ReasonWrongType}},
		"wrong type":         {frame(rate, text(2, "5")...), refusal{"a", "rate_trip.stars", ReasonWrongType}},
		"id twice":           {append(text(1, "a"), text(1, "b")...), refusal{"a", "id", ReasonDuplicate}},
		"two bodies":         {append(frame(ping), frame(goOffline)[3:]...), refusal{"a", "go_offline", ReasonSeveralBodies}},
		"body twice":         {append(frame(ping), frame(ping)[3:]...), refusal{"a", "ping", ReasonDuplicate}},
		"invalid UTF-8":      {frame(start, text(2, "\xff")...), refusal{"a", "start_trip.pin", ReasonNotUTF8}},
		"invalid UTF-8 id":   {text(1, "\xff"), refusal{"", "id", ReasonNotUTF8}},
		"NUL":                {frame(start, text(2, "1\x00")...), refusal{"a", "start_trip.pin", ReasonNUL}},
		"over 32 bits":       {frame(rate, varint(2, 1<<32)...), refusal{"a", "rate_trip.stars", ReasonOutOfRange}},
		"varint too long":    {frame(rate, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), refusal{"a", "rate_trip.stars", ReasonSyntax}},
		"lat over 32 bits":   {frame(location, text(1, string(varint(1, 1<<33)))...), refusal{"a", "location.point.lat_e7", ReasonOutOfRange}},
		"nanos over 32 bits": {frame(location, text(5, string(varint(2, 1<<33)))...), refusal{"a", "location.device_time.nanos", ReasonOutOfRange}},
		"too large":          {frame(start, text(2, strings.Repeat("1", MaxClientBytes))...), refusal{"", "", ReasonTooLarge}},
		"id too long to say": {text(1, strings.Repeat("x", 65)), refusal{"", "", ReasonNoBody}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Binary.DecodeClient(c.data)
			requireRefusal(t, c.want, err)
			require.Nil(t, got)
		})
	}
	require.NoError(t, Binary.UnmarshalStrict(varint(1, 2), new(ridepb.Cancellation)))
	requireRefusal(t, refusal{"", "by", ReasonUnknownWord}, Binary.UnmarshalStrict(varint(1, 9), new(ridepb.Cancellation)))
	requireRefusal(t, refusal{"", "active_trip.pickup", ReasonIncompletePoint},
		JSON.Unmarshal([]byte(`{"active_trip":{"pickup":{"lat":1}}}`), new(ridepb.Connected)))
	requireRefusal(t, refusal{"", "quotes[1].fare.minor", ReasonWrongType},
		JSON.Unmarshal([]byte(`{"quotes":[{},{"fare":{"minor":"1"}}]}`), new(ridepb.Quotes)))
}

// TestFloatsThatAreNoNumbers: they cost nothing but themselves, in either form.
func TestFloatsThatAreNoNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		bits float32
		want float32
	}{
		"NaN":          {`"NaN"`, float32(math.NaN()), 0},
		"infinity":     {`"Infinity"`, float32(math.Inf(1)), math.MaxFloat32},
		"minus":        {`"-Infinity"`, float32(math.Inf(-1)), -math.MaxFloat32},
		"overflow":     {`1e308`, float32(math.Inf(1)), math.MaxFloat32},
		"underflow":    {`1e-400`, 0, 0},
		"null":         {`null`, 0, 0},
		"text":         {`"8.5"`, 0, 0},
		"empty text":   {`""`, 0, 0},
		"a word":       {`"unknown"`, 0, 0},
		"true":         {`true`, 0, 0},
		"false":        {`false`, 0, 0},
		"as iOS does":  {`-1`, -1, -1},
		"largest":      {`3.4028234663852886e38`, math.MaxFloat32, math.MaxFloat32},
		"full circle":  {`360`, 360, 360},
		"not rounded":  {`271.5`, 271.5, 271.5},
		"in exponents": {`1e2`, 100, 100},
	} {
		t.Run(name, func(t *testing.T) {
			want := &ridepb.ClientFrame{Id: "a", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: &ridepb.Location{
				Point: &ridepb.Point{LatE7: 1, LngE7: 2}, HeadingDeg: c.want, SpeedMps: c.want, AccuracyM: c.want,
			}}}}
			text := `{"id":"a","go_online":{"location":{"point":{"lat":1e-7,"lng":2e-7},"heading_deg":X,"speed_mps":X,"accuracy_m":X}}}`
			got, err := JSON.DecodeClient([]byte(strings.ReplaceAll(text, "X", c.json)))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(want, got, protocmp.Transform()))

			sent := proto.Clone(want).(*ridepb.ClientFrame)
			l := sent.GetGoOnline().GetLocation()
			l.HeadingDeg, l.SpeedMps, l.AccuracyM = c.bits, c.bits, c.bits
			data, err := proto.Marshal(sent)
			require.NoError(t, err)
			got, err = Binary.DecodeClient(data)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(want, got, protocmp.Transform()))
		})
	}
}

// TestInvalidTimesAreIgnored: a position counts without the time at which a device took it. An
// invalid time reads as the zero Timestamp, in either form; a server's times must be valid.
func TestInvalidTimesAreIgnored(t *testing.T) {
	want := &ridepb.ClientFrame{Id: "a", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: &ridepb.Location{
		Point: &ridepb.Point{LatE7: 1, LngE7: 2}, SpeedMps: 3, DeviceTime: &timestamppb.Timestamp{},
	}}}}
	for _, s := range []string{
		`""`, `"now"`, `"2023-11-14"`, `"2023-11-14T22:13:20"`, `"2023-11-14 22:13:20Z"`, `"2023-11-14T22:13:20,5Z"`, `"2023-13-14T22:13:20Z"`,
		`"2023-02-30T22:13:20Z"`, `"2023-11-14T24:00:00Z"`, `"2023-11-14T2:13:20Z"`, `"2023-11-14T22:13:20.1234567890Z"`,
		`"0000-01-01T00:00:00Z"`, `"-001-01-01T00:00:00Z"`, `"10000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-23:59"`, `"2023-11-14T22:13:60Z"`,
		`"2023-11-14T22:13:20.Z"`, `"2023-11-14T22:13:20+9:00"`, `"2023-11-14T22:13:20+24:00"`, `"2023-11-14t22:13:20z"`, `"2023-11-14T22:13:20ZZ"`,
		`0`, `-1`, `1699999999`, `1699999999000`, `1e308`, `true`, `false`, `"\u0000"`, `"1970-01-01T00:00:00Z"`,
	} {
		got, err := JSON.DecodeClient([]byte(`{"id":"a","go_online":{"location":{"device_time":` + s + `,"point":{"lat":1e-7,"lng":2e-7},"speed_mps":3}}}`))
		require.NoError(t, err, s)
		require.Empty(t, cmp.Diff(want, got, protocmp.Transform()), s)
	}
	for _, ts := range []*timestamppb.Timestamp{
		{Seconds: 253402300800}, {Seconds: math.MaxInt64}, {Seconds: math.MinInt64}, {Nanos: -1}, {Seconds: 1700000000, Nanos: 1e9},
	} {
		sent := proto.Clone(want).(*ridepb.ClientFrame)
		sent.GetGoOnline().GetLocation().DeviceTime = ts
		data, err := proto.Marshal(sent)
		require.NoError(t, err)
		got, err := Binary.DecodeClient(data)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(want, got, protocmp.Transform()), "%v", ts)
	}
	requireRefusal(t, refusal{"", "server_time", ReasonBadTime}, JSON.Unmarshal([]byte(`{"server_time":"now"}`), new(ridepb.Pong)))
	requireRefusal(t, refusal{"", "server_time", ReasonWrongType}, JSON.Unmarshal([]byte(`{"server_time":1}`), new(ridepb.Pong)))
}

func TestReusedFrameForgets(t *testing.T) {
	for _, codec := range []Codec{JSON, Binary} {
		frame := new(ridepb.ClientFrame)
		long, err := codec.EncodeClient(&ridepb.ClientFrame{Id: "a", Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: "t", Pin: "1234"}}})
		require.NoError(t, err)
		short, err := codec.EncodeClient(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{}}})
		require.NoError(t, err)
		require.NoError(t, codec.DecodeClientInto(long, frame))
		require.NoError(t, codec.DecodeClientInto(short, frame))
		require.True(t, proto.Equal(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{}}}, frame))
	}
}

// An unknown name is repeated to who sent it, so that a typo is found; what is no name is not.
func TestUnknownNamesAreNamed(t *testing.T) {
	long := strings.Repeat("x", 65)
	for json, want := range map[string]DecodeError{
		`{"id":"a","accept_offer":{"offerId":"o"}}`:                 {ID: "a", Field: "accept_offer", Name: "offerId"},
		`{"id":"a","goOffline":{}}`:                                 {ID: "a", Name: "goOffline"},
		`{"id":"a","location":{"point":{"lat":1,"LNG":1}}}`:         {ID: "a", Field: "location.point", Name: "LNG"},
		`{"id":"a","p\u0069ng2":{}}`:                                {ID: "a", Name: "ping2"},
		`{"id":"a","` + long + `":1}`:                               {ID: "a"},
		`{"id":"a","<script>":1}`:                                   {ID: "a"},
		`{"id":"a","":1}`:                                           {ID: "a"},
		`{"id":"a","accept_offer":{"offer_id":"o","offer_id":"o"}}`: {ID: "a", Field: "accept_offer", Name: "offer_id", Reason: ReasonDuplicate},
	} {
		if want.Reason == "" {
			want.Reason = ReasonUnknownField
		}
		_, err := JSON.DecodeClient([]byte(json))
		var got *DecodeError
		require.ErrorAs(t, err, &got)
		require.Equal(t, want, *got, json)
		require.NotContains(t, err.Error(), "%")
		if want.Name != "" {
			require.Contains(t, err.Error(), ": "+want.Name)
		}
	}
	var got *DecodeError
	require.ErrorAs(t, Binary.UnmarshalStrict(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1), new(ridepb.AcceptOffer)), &got)
	require.Equal(t, DecodeError{Name: "99", Reason: ReasonUnknownField}, *got)
}
