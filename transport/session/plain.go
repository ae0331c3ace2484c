package session

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// plainLocation reads the one frame that drivers send all the time, a location
// without an id, without allocating. It knows only the form in which protobuf
// libraries write it, each field once and in order. Every other form is
// left to the codec, the only judge of malformed frames, so that the result
// does not depend on which of the two read a frame.
type plainLocation struct {
	location ridepb.Location
	point    ridepb.Point
	time     timestamppb.Timestamp
}

// read reports whether data was such a frame. If so, l.location holds it until
// the next call.
func (l *plainLocation) read(data []byte) bool {
	r := plainReader{rest: data}
	frame := r.message(fieldLocation)
	if !r.done() {
		return false
	}
	r = plainReader{rest: frame}
	point := r.message(1)
	l.location.HeadingDeg, l.location.SpeedMps, l.location.AccuracyM = r.float(2), r.float(3), r.float(4)
	time := r.message(5)
	if !r.done() || point == nil || time == nil {
		return false
	}
	r = plainReader{rest: point}
	l.point.LatE7, l.point.LngE7 = r.sint32(1), r.sint32(2)
	if !r.done() {
		return false
	}
	r = plainReader{rest: time}
	seconds, nanos := r.varint(1), r.varint(2)
	if !r.done() || nanos >= 1e9 {
		return false
	}
	l.time.Seconds, l.time.Nanos = int64(seconds), int32(nanos)
	l.location.Point, l.location.DeviceTime = &l.point, &l.time
	return view.PlausibleDeviceTime(&l.time)
}

const fieldLocation = 6 // of ClientFrame

// plainReader takes fields off a message in their order. Absent ones read as zero.
type plainReader struct {
	rest []byte
	bad  bool
}

// done reports whether everything was read.
func (r *plainReader) done() bool { return !r.bad && len(r.rest) == 0 }

// field reports whether the next field is that one, and takes its tag. All tags
// of the messages read here are one byte long.
func (r *plainReader) field(n protowire.Number, t protowire.Type) bool {
	if r.bad || len(r.rest) == 0 || r.rest[0] != byte(protowire.EncodeTag(n, t)) {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// take moves on by n bytes, as a parser of protowire counted them.
func (r *plainReader) take(n int) {
	if n < 0 {
		r.bad = true
		return
	}
	r.rest = r.rest[n:]
}

// message returns a nested message's bytes, nil if there is none.
func (r *plainReader) message(number protowire.Number) []byte {
	if !r.field(number, protowire.BytesType) {
		return nil
	}
	v, n := protowire.ConsumeBytes(r.rest)
	r.take(n)
	return v
}

func (r *plainReader) varint(number protowire.Number) uint64 {
	if !r.field(number, protowire.VarintType) {
		return 0
	}
	v, n := protowire.ConsumeVarint(r.rest)
	r.take(n)
	return v
}

func (r *plainReader) sint32(number protowire.Number) int32 {
	v := r.varint(number)
	r.bad = r.bad || v > math.MaxUint32
	return int32(protowire.DecodeZigZag(v))
}

// float refuses NaN and infinities.
func (r *plainReader) float(number protowire.Number) float32 {
	if !r.field(number, protowire.Fixed32Type) {
		return 0
	}
	bits, n := protowire.ConsumeFixed32(r.rest)
	r.take(n)
	v := math.Float32frombits(bits)
	r.bad = r.bad || v-v != 0 // NaN and both infinities
	return v
}
