package wire

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// scalar reads a value that is neither message nor list. k is its kind.
func (d *jsonDecoder) scalar(f *field, k jsontext.Kind) (v protoreflect.Value, err error) {
	if f.kind == protoreflect.FloatKind && (k == '"' || d.strict && (k == 't' || k == 'f')) {
		return d.noNumber()
	}
	if k != kindOf(f.kind) && !(k == 'f' && f.kind == protoreflect.BoolKind) {
		return v, d.fail(ReasonWrongType)
	}
	if k == '0' {
		raw, err := d.ReadValue()
		if err != nil {
			return v, d.syntax(err)
		}
		return d.number(f, raw)
	}
	tok, err := d.ReadToken()
	if err != nil {
		return v, d.syntax(err)
	}
	if f.kind == protoreflect.BoolKind {
		return protoreflect.ValueOfBool(tok.Bool()), nil
	}
	s := tok.String()
	if f.kind == protoreflect.EnumKind {
		return d.word(f, s)
	}
	// Neither form minds a NUL from a server; only what strangers write may hold none.
	if d.strict && strings.IndexByte(s, 0) >= 0 {
		return v, d.fail(ReasonNUL)
	}
	return protoreflect.ValueOfString(s), nil
}

// noNumber reads proto-JSON's three words for floats that are not finite numbers. Anything else that
// a client writes in place of a measurement counts as unknown.
func (d *jsonDecoder) noNumber() (v protoreflect.Value, err error) {
	tok, err := d.ReadToken()
	if err != nil {
		return v, d.syntax(err)
	}
	x, ok := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}[tok.String()]
	if !ok && !d.strict {
		return v, d.fail(ReasonWrongType)
	}
	return protoreflect.ValueOfFloat32(finite(float32(x))), nil
}

// finite returns the number that stands for a float which is none: 0 for NaN and the
// largest there is for an infinity. Floats are measurements that devices add to what
// counts, so a bad one must not cost the rest; whether it can be true is the session's
// to judge.
func finite(x float32) float32 {
	switch {
	case x != x:
		return 0
	case x > math.MaxFloat32:
		return math.MaxFloat32
	case x < -math.MaxFloat32:
		return -math.MaxFloat32
	}
	return x
}

// kindOf returns the JSON kind of a field, with 't' for both booleans.
func kindOf(k protoreflect.Kind) jsontext.Kind {
	switch k {
	case protoreflect.StringKind, protoreflect.EnumKind:
		return '"'
	case protoreflect.BoolKind:
		return 't'
	default:
		return '0'
	}
}

// word reads an enum. A word that only a newer server knows reads as the zero
// word where that is allowed.
func (d *jsonDecoder) word(f *field, s string) (protoreflect.Value, error) {
	n, ok := f.words[s]
	if !ok && d.strict {
		return protoreflect.Value{}, d.fail(ReasonUnknownWord)
	}
	return protoreflect.ValueOfEnum(n), nil
}

func (d *jsonDecoder) number(f *field, raw []byte) (v protoreflect.Value, err error) {
	switch f.kind {
	case protoreflect.FloatKind:
		x, err := strconv.ParseFloat(string(raw), 32)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return v, d.fail(ReasonOutOfRange)
		}
		return protoreflect.ValueOfFloat32(finite(float32(x))), nil
	case protoreflect.Uint32Kind:
		n, err := d.integer(raw, 0, math.MaxUint32)
		return protoreflect.ValueOfUint32(uint32(n)), err
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		n, err := d.integer(raw, math.MinInt32, math.MaxInt32)
		return protoreflect.ValueOfInt32(int32(n)), err
	default:
		return v, d.fail(ReasonWrongType)
	}
}

// integer accepts every spelling of a whole number, such as 5, 5.0 and 5e0:
// to JSON they are the same.
func (d *jsonDecoder) integer(raw []byte, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		x, ferr := strconv.ParseFloat(string(raw), 64)
		if ferr != nil || x < float64(low) || x > float64(high) {
			return 0, d.fail(ReasonOutOfRange)
		}
		if x != math.Trunc(x) {
			return 0, d.fail(ReasonWrongType)
		}
		n = int64(x)
	}
	if n < low || n > high {
		return 0, d.fail(ReasonOutOfRange)
	}
	return n, nil
}

// point reads {"lat": degrees, "lng": degrees}; both are required. Whether that
// is a place on Earth is for the domain to say.
func (d *jsonDecoder) point(p *ridepb.Point) error {
	if err := d.open(); err != nil {
		return err
	}
	var lat, lng bool
	for {
		name, more, err := d.member()
		switch {
		case err != nil:
			return err
		case !more && !(lat && lng):
			return d.fail(ReasonIncompletePoint)
		case !more:
			return nil
		case string(name) == "lat":
			lat = true
			p.LatE7, err = d.degrees("lat")
		case string(name) == "lng":
			lng = true
			p.LngE7, err = d.degrees("lng")
		default:
			err = d.unknown(name)
		}
		if err != nil {
			return err
		}
	}
}

func (d *jsonDecoder) degrees(name string) (int32, error) {
	d.at = append(d.at, step{name, -1})
	k, err := d.next()
	if err != nil {
		return 0, err
	}
	if k != '0' {
		return 0, d.fail(ReasonWrongType)
	}
	raw, err := d.ReadValue()
	if err != nil {
		return 0, d.syntax(err)
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	scaled := math.Round(x * 1e7)
	if err != nil || scaled < math.MinInt32 || scaled > math.MaxInt32 {
		return 0, d.fail(ReasonOutOfRange)
	}
	d.at = d.at[:len(d.at)-1]
	return int32(scaled), nil
}

var errTime = errors.New("not a time")

// time reads RFC 3339 with at most nine digits of seconds. The one time that clients write
// is when a device took a position, which it need not know: anything that is not a time reads as
// the zero Timestamp, which no device can mean.
func (d *jsonDecoder) time(m protoreflect.Message) error {
	k := d.PeekKind()
	if k != '"' && (!d.strict || k == '{' || k == '[') {
		return d.fail(ReasonWrongType)
	}
	raw, err := d.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	ts := m.Interface().(*timestamppb.Timestamp)
	if k == '"' {
		if t, err := parseTime(raw[1 : len(raw)-1]); err == nil {
			ts.Seconds, ts.Nanos = t.Unix(), int32(t.Nanosecond())
			if ts.CheckValid() == nil {
				return nil
			}
		}
	}
	if !d.strict {
		return d.fail(ReasonBadTime)
	}
	ts.Seconds, ts.Nanos = 0, 0
	return nil
}

// parseTime is stricter than the time package, which takes commas, single
// digits of the hour and more digits of seconds than it keeps.
func parseTime(b []byte) (t time.Time, err error) {
	const form = "dddd-dd-ddTdd:dd:dd"
	if len(b) <= len(form) || !looksLike(b[:len(form)], form) {
		return t, errTime
	}
	zone := b[len(form):]
	if zone[0] == '.' {
		zone = bytes.TrimLeft(zone[1:], "0123456789")
		if digits := len(b) - len(form) - 1 - len(zone); digits < 1 || digits > 9 {
			return t, errTime
		}
	}
	switch {
	case looksLike(zone, "Z"):
	case (looksLike(zone, "+dd:dd") || looksLike(zone, "-dd:dd")) && string(zone[1:3]) < "24" && zone[4] < '6':
	default:
		return t, errTime
	}
	return t, t.UnmarshalText(b)
}

// looksLike reports whether b is as form says, where d is any digit.
func looksLike(b []byte, form string) bool {
	if len(b) != len(form) {
		return false
	}
	for i, c := range b {
		if form[i] == 'd' {
			if c < '0' || c > '9' {
				return false
			}
		} else if c != form[i] {
			return false
		}
	}
	return true
}
