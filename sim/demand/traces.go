package demand

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Fix is one recorded position of a vehicle.
type Fix struct {
	At       time.Duration // since the file's first fix, or Filter.From after it
	Point    geo.Point
	Occupied bool
}

// Trace is the recorded positions of one vehicle, by time.
type Trace struct {
	Cab   string
	Fixes []Fix
}

// ReadTraces reads recorded fleets: columns unix, cab, lat, lng, perhaps occupied (0 or
// 1). Filter.Area leaves out fixes; its times count from its origin, or from the file's
// first fix.
func ReadTraces(r io.Reader, f Filter) ([]Trace, error) {
	t, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	if err := t.Need("unix", "cab", "lat", "lng"); err != nil {
		return nil, err
	}
	cabs := make(map[string][]Fix)
	first := time.Duration(1<<63 - 1)
	for {
		ok, err := t.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		x := Fix{Occupied: t.Text("occupied") == "1"}
		s, err := t.Whole("unix")
		if err != nil || s < 0 || s > 4e9 {
			return nil, t.Bad("unix")
		}
		x.At = time.Duration(s) * time.Second
		first = min(first, x.At)
		if x.Point, err = t.Point("lat", "lng"); err != nil {
			return nil, err
		}
		cabs[t.Text("cab")] = append(cabs[t.Text("cab")], x)
	}
	return f.traces(cabs, f.zero(first)), nil
}

func (f Filter) traces(cabs map[string][]Fix, zero time.Duration) []Trace {
	var out []Trace
	for cab, all := range cabs {
		kept := all[:0]
		for _, x := range all {
			x.At -= zero
			if x.At >= 0 && (f.To == 0 || x.At < f.To-f.From) && f.Area.Has(x.Point) {
				kept = append(kept, x)
			}
		}
		if len(kept) > 0 {
			slices.SortStableFunc(kept, func(a, b Fix) int { return cmp.Compare(a.At, b.At) })
			out = append(out, Trace{cab, kept})
		}
	}
	slices.SortFunc(out, func(a, b Trace) int { return cmp.Compare(a.Cab, b.Cab) })
	return out
}

// At returns where the vehicle was, on the straight line between two fixes, and whether it had a
// passenger. Before its first fix and after its last one, it stands there.
func (t Trace) At(now time.Duration) (p geo.Point, occupied bool) {
	i, exact := slices.BinarySearchFunc(t.Fixes, now, func(f Fix, now time.Duration) int { return cmp.Compare(f.At, now) })
	switch {
	case exact:
		return t.Fixes[i].Point, t.Fixes[i].Occupied
	case i == 0:
		return t.Fixes[0].Point, t.Fixes[0].Occupied
	case i == len(t.Fixes):
		return t.Fixes[i-1].Point, t.Fixes[i-1].Occupied
	}
	a, b := t.Fixes[i-1], t.Fixes[i]
	share := float64(now-a.At) / float64(b.At-a.At)
	return geo.Point{
		Lat: a.Point.Lat + share*(b.Point.Lat-a.Point.Lat), Lng: a.Point.Lng + share*(b.Point.Lng-a.Point.Lng),
	}, a.Occupied
}

// Change is when a passenger next gets in or out after now. It reports false if that does not
// happen again.
func (t Trace) Change(now time.Duration) (time.Duration, bool) {
	_, occupied := t.At(now)
	i, _ := slices.BinarySearchFunc(t.Fixes, now, func(f Fix, now time.Duration) int { return cmp.Compare(f.At, now) })
	for ; i < len(t.Fixes); i++ {
		if f := t.Fixes[i]; f.At > now && f.Occupied != occupied {
			return f.At, true
		}
	}
	return 0, false
}
