package geo

import (
	"context"
	"time"
)

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
	// on streets, ErrInvalidPoint, or the context's error.
	Match(ctx context.Context, track []Spot) (Match, error)
}

// Trail measures a drive as its Track does, and keeps the fixes that count, to be matched to streets: a parked
// car adds none. It is not safe for concurrent use. The zero Trail keeps none.
type Trail struct {
	Track
	// Most bounds the fixes that are kept. When it is reached, every other one is dropped: a long drive is kept
	// more coarsely.
	Most int
	kept []keptFix
}

// keptFix is a fix in 16 bytes.
type keptFix struct {
	lat, lng  int32 // 1e-7 degrees
	after     int32 // milliseconds since the drive began
	accuracyM float32
}

// Add takes the next accepted fix of the drive. Its point must be valid.
func (t *Trail) Add(s Spot) {
	before := t.anchor.At
	t.Track.Add(s)
	if t.anchor.At.Equal(before) || t.Most < 2 {
		return
	}
	if len(t.kept) >= t.Most {
		for i := range (len(t.kept) + 1) / 2 {
			t.kept[i] = t.kept[2*i]
		}
		t.kept = t.kept[:(len(t.kept)+1)/2]
	}
	lat, lng := t.anchor.Point.E7()
	t.kept = append(t.kept, keptFix{lat, lng, int32(t.anchor.At.Sub(t.began).Milliseconds()), float32(t.anchor.AccuracyM)})
}

// Begin begins the drive as Track.Begin does.
func (t *Trail) Begin(at time.Time, place Point) {
	t.Track.Begin(at, place)
	t.kept = nil
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
		out = append(out, end.anchor)
	}
	if end.restM() > 0 {
		out = append(out, end.last)
	}
	return out
}
