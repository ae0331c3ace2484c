package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// eachMessage runs a subtest for every message of the protocol.
func eachMessage(t *testing.T, run func(t *testing.T, kind protoreflect.MessageType)) {
	messages := ridepb.File_hexhail_proto.Messages()
	require.Greater(t, messages.Len(), 30)
	for i := range messages.Len() {
		d := messages.Get(i)
		t.Run(string(d.Name()), func(t *testing.T) {
			run(t, typeOf(t, d))
		})
	}
}

func TestEveryMessageKeepsItsMeaningInBothForms(t *testing.T) {
	eachMessage(t, func(t *testing.T, kind protoreflect.MessageType) {
		rapid.Check(t, func(t *rapid.T) {
			m := kind.New()
			fill(t, m)
			want := m.Interface()
			for _, codec := range []Codec{JSON, Binary} {
				data, err := codec.Marshal(want)
				require.NoError(t, err)
				for _, decode := range []func([]byte, proto.Message) error{codec.Unmarshal, codec.UnmarshalStrict} {
					got := kind.New().Interface()
					require.NoError(t, decode(data, got), "%s", data)
					if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
						t.Fatalf("%s: -sent +received:\n%s", codec.Subprotocol(), diff)
					}
				}
			}
		})
	})
}

// The JSON form is proto-JSON but for points: protojson itself is the judge.
func TestJSONIsProtoJSONButForPoints(t *testing.T) {
	judge := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}
	eachMessage(t, func(t *testing.T, kind protoreflect.MessageType) {
		rapid.Check(t, func(t *rapid.T) {
			m := kind.New()
			fill(t, m)
			ours, err := JSON.Marshal(m.Interface())
			require.NoError(t, err)
			theirs, err := judge.Marshal(m.Interface())
			require.NoError(t, err)
			require.Equal(t, untyped(t, theirs), untyped(t, ours))
		})
	})
}

// untyped parses JSON and writes points in degrees.
func untyped(t require.TestingT, data []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return inDegrees(t, v)
}

func inDegrees(t require.TestingT, v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = inDegrees(t, v[i])
		}
	case map[string]any:
		if lat, ok := v["lat_e7"]; ok {
			return map[string]any{"lat": degrees(t, lat), "lng": degrees(t, v["lng_e7"])}
		}
		for name := range v {
			v[name] = inDegrees(t, v[name])
		}
	}
	return v
}

// degrees shifts the decimal point of an integer seven places.
func degrees(t require.TestingT, v any) json.Number {
	s := string(v.(json.Number))
	sign := ""
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		sign, s = "-", rest
	}
	s = strings.Repeat("0", max(0, 8-len(s))) + s
	cut := len(s) - 7
	return json.Number(strings.TrimSuffix(sign+strings.TrimRight(s[:cut]+"."+s[cut:], "0"), "."))
}

// What the codecs take for granted about the .proto file.
func TestOnlyPointsHaveCoordinates(t *testing.T) {
	point := (&ridepb.Point{}).ProtoReflect().Descriptor().FullName()
	for name, p := range plans {
		require.Less(t, len(p.fields), 64, "%s: the scanner's bit set is full", name)
		for _, f := range p.fields {
			for _, part := range []string{"lat", "lng", "lat_e7", "lng_e7", "latitude", "longitude"} {
				if f.name == part {
					require.Equal(t, point, name, "%s must use a Point", f.name)
				}
			}
			require.Equal(t, strings.ToLower(f.name), f.name)
			require.False(t, f.desc.IsMap(), "%s.%s: the codec knows no maps", name, f.name)
		}
	}
	require.Equal(t, formPoint, plans[point].form)
}

func TestGolden(t *testing.T) {
	at := &timestamppb.Timestamp{Seconds: 1_700_000_000, Nanos: 120_000_000}
	cases := []struct {
		m    proto.Message
		json string
	}{
		{
			&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: &ridepb.Location{
				Point:      &ridepb.Point{LatE7: 374979000, LngE7: 1270276000},
				HeadingDeg: 271.5, SpeedMps: 8.3, DeviceTime: at,
			}}},
			`{"id":"","location":{"point":{"lat":37.4979,"lng":127.0276},"heading_deg":271.5,"speed_mps":8.3,"accuracy_m":0,"device_time":"2023-11-14T22:13:20.120Z"}}`,
		},
		{
			&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{Epoch: "e", Seq: 7, Body: &ridepb.Event_OfferClosed{
				OfferClosed: &ridepb.OfferClosed{OfferId: "o", TripId: "t", Outcome: ridepb.OfferClosed_withdrawn, Reason: "taken"},
			}}}},
			`{"event":{"epoch":"e","seq":7,"offer_closed":{"offer_id":"o","trip_id":"t","outcome":"withdrawn","reason":"taken"}}}`,
		},
		{
			&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Reply{Reply: &ridepb.Reply{Id: "q", Result: &ridepb.Reply_Quotes{Quotes: &ridepb.Quotes{}}}}},
			`{"reply":{"id":"q","quotes":{"quotes":[],"polyline":""}}}`,
		},
		{&ridepb.Point{LatE7: -1, LngE7: -1800000000}, `{"lat":-0.0000001,"lng":-180}`},
		{&ridepb.Point{LatE7: 5_000_000, LngE7: 1270000000}, `{"lat":0.5,"lng":127}`},
	}
	for _, c := range cases {
		got, err := JSON.Marshal(c.m)
		require.NoError(t, err)
		require.Equal(t, c.json, string(got))
		back := c.m.ProtoReflect().New().Interface()
		require.NoError(t, JSON.UnmarshalStrict(got, back))
		require.Empty(t, cmp.Diff(c.m, back, protocmp.Transform()))
	}
}

func TestForSubprotocol(t *testing.T) {
	for _, name := range Subprotocols() {
		c, ok := ForSubprotocol(name)
		require.True(t, ok)
		require.Equal(t, name, c.Subprotocol())
		require.Equal(t, name == "hexhail.v1.proto", c.Binary())
	}
	_, ok := ForSubprotocol("hexhail.v2.json")
	require.False(t, ok)
}

func TestAnOldClientSurvivesANewServer(t *testing.T) {
	frame, err := JSON.DecodeServer([]byte(
		`{"event":{"epoch":"e","seq":3,"news":[{"lat_e7":1}],"offer_closed":{"offer_id":"o","outcome":"postponed","why":{}}},"trace":null}`))
	require.NoError(t, err)
	require.Equal(t, "o", frame.GetEvent().GetOfferClosed().OfferId)
	require.Equal(t, ridepb.OfferClosed_outcome_unspecified, frame.GetEvent().GetOfferClosed().Outcome)

	data, err := proto.Marshal(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{Seq: 3}}})
	require.NoError(t, err)
	frame, err = Binary.DecodeServer(append(data, 0xa2, 0x06, 1, 'x')) // field 100
	require.NoError(t, err)
	require.Equal(t, uint32(3), frame.GetEvent().Seq)
	require.Empty(t, frame.ProtoReflect().GetUnknown())
}

func TestAppendKeepsWhatWasThere(t *testing.T) {
	for _, codec := range []Codec{JSON, Binary} {
		whole, err := codec.Append([]byte("before "), &ridepb.Money{Minor: 5, Currency: "EUR"})
		require.NoError(t, err)
		alone, err := codec.Marshal(&ridepb.Money{Minor: 5, Currency: "EUR"})
		require.NoError(t, err)
		require.Equal(t, "before "+string(alone), string(whole))

		kept, err := codec.Append([]byte("before"), &ridepb.Money{Currency: "\xff"})
		require.Error(t, err)
		require.Equal(t, "before", string(kept))

		_, err = codec.Marshal(timestamppb.Now())
		require.NoError(t, err, "timestamps are part of the protocol")
		_, err = codec.Marshal(&foreignMessage)
		require.ErrorContains(t, err, "not a message of the protocol")
	}
}
