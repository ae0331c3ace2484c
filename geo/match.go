package geo

import (
	"context"
	"errors"
	"time"
)

// ErrNoMap means that there is no map, or none yet. Errors that wrap it wrap ErrNoRoute as well.
var ErrNoMap = errors.New("there is no map")

// Match is a recorded drive along streets. It is a value, but for its lines, which its caller owns.
type Match struct {
	// LengthM is the length along streets in metres, that of all Lines together.
	LengthM float64
	// OffM is the straight line in metres where the drive could not be matched: between two pieces. Share is how
	// much of the straight steps between the positions was matched, 0 to 1. Breaks are the places between
	// pieces.
	OffM   float64
	Share  float64
	Breaks int
	// Lines are the matched pieces, each of at least two points.
	Lines [][]Point
}

// Matcher finds the streets that a recorded drive followed. Implementations are safe for concurrent use, honour
// ctx, and may take milliseconds: actors call them from another goroutine.
type Matcher interface {
	// Match matches what a Trail has kept of a drive. The error wraps ErrNoRoute if nothing of it lies
	// on streets, ErrNoMap where there are none, ErrInvalidPoint, or the context's error.
	Match(ctx context.Context, track []Spot) (Match, error)
}

// Trail measures a drive as its Track does, and keeps the fixes that count, to be matched to streets: a parked
// car adds none until it drives on, and then one that says until when it stood. It is not safe for concurrent use. The zero Trail keeps none.
type Trail struct {
	Track
	// Most bounds the fixes that are kept. When it is reached, every other one is dropped: a long drive is kept
	// more coarsely.
	Most int
	kept []keptFix
	// still is when the car was last seen at the anchor, before it came to the pending fix.
	still time.Time
}

// keptFix is a fix in 16 bytes.
type keptFix struct {
	lat, lng  int32 // 1e-7 degrees
	after     int32 // milliseconds since the drive began
	accuracyM float32
}

// Add takes the next accepted fix of the drive. Its point must be valid.
func (t *Trail) Add(s Spot) {
	before := t.Track
	t.Track.Add(s)
	if !t.anchor.At.Equal(before.anchor.At) && t.Most >= 2 {
		if stood, ok := t.stood(before.anchor); ok {
			t.keep(stood)
		}
		t.keep(t.anchor)
	}
	if t.next.At.Equal(s.At) && !t.next.At.Equal(before.next.At) {
		t.still = before.last.At
	}
}

// stood is the end of a stop at an anchor that the car has left, if it was a long one. Without it the stop would look
// like a gap between fixes.
func (t *Trail) stood(anchor Spot) (Spot, bool) {
	long := len(t.kept) > 0 && t.still.Sub(anchor.At) > MaxGap
	anchor.At = t.still
	return anchor, long
}

// keep keeps a fix, and makes room for it.
func (t *Trail) keep(s Spot) {
	if len(t.kept) >= t.Most {
		for i := range (len(t.kept) + 1) / 2 {
			t.kept[i] = t.kept[2*i]
		}
		t.kept = t.kept[:(len(t.kept)+1)/2]
	}
	lat, lng := s.Point.E7()
	t.kept = append(t.kept, keptFix{lat, lng, int32(s.At.Sub(t.began).Milliseconds()), float32(s.AccuracyM)})
}

// Begin begins the drive as Track.Begin does.
func (t *Trail) Begin(at time.Time, place Point) {
	t.Track.Begin(at, place)
	t.kept, t.still = nil, time.Time{}
}

// Kept returns the fixes that what was measured until now leads along. The caller owns the slice.
func (t *Trail) Kept() []Spot {
	out := make([]Spot, 0, len(t.kept)+2)
	for _, k := range t.kept {
		out = append(out, Spot{
			Point: FromE7(k.lat, k.lng), AccuracyM: float64(k.accuracyM), At: t.began.Add(time.Duration(k.after) * time.Millisecond),
		})
	}
	if len(out) == 0 {
		return nil
	}
	end := t.Track
	if end.confirm(); !end.anchor.At.Equal(t.anchor.At) {
		if stood, ok := t.stood(t.anchor); ok {
			out = append(out, stood)
		}
		out = append(out, end.anchor)
	}
	if end.restM() > 0 {
		out = append(out, end.last)
	}
	return out
}
