package names

import (
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// oneCrossingM is how far apart the nodes of one crossing may be, in metres: dual carriageways meet in up
// to four.
const oneCrossingM = 150

// meeting is a node where a street meets another.
type meeting struct {
	with     int32
	lat, lng int32 // 1e-7 degrees
}

// meetings are the nodes where streets meet, of each street by the other's number.
type meetings struct {
	first []int32 // those of street s are all[first[s]:first[s+1]]
	all   []meeting
}

func newMeetings(list []Meeting, streets int) meetings {
	m := meetings{first: make([]int32, streets+1), all: make([]meeting, 2*len(list))}
	for _, v := range list {
		m.first[v.A+1]++
		m.first[v.B+1]++
	}
	for s := range streets {
		m.first[s+1] += m.first[s]
	}
	next := slices.Clone(m.first)
	for _, v := range list {
		lat, lng := v.At.E7()
		m.all[next[v.A]] = meeting{v.B, lat, lng}
		next[v.A]++
		m.all[next[v.B]] = meeting{v.A, lat, lng}
		next[v.B]++
	}
	for s := range streets {
		slices.SortFunc(m.of(int32(s)), func(a, b meeting) int {
			if a.with != b.with {
				return int(a.with - b.with)
			}
			if a.lat != b.lat {
				return int(a.lat) - int(b.lat)
			}
			return int(a.lng) - int(b.lng)
		})
	}
	return m
}

func (m *meetings) of(street int32) []meeting { return m.all[m.first[street]:m.first[street+1]] }

// between returns the nodes where two streets meet.
func (m *meetings) between(a, b int32) []meeting {
	list := m.of(a)
	i, _ := slices.BinarySearchFunc(list, b, func(v meeting, b int32) int { return int(v.with - b) })
	end := i
	for end < len(list) && list[end].with == b {
		end++
	}
	return list[i:end]
}

// middles returns the crossings that nodes make up: the middle of those that lie together.
func middles(nodes []meeting) []geo.Point {
	type sum struct {
		p geo.Point
		n float64
	}
	var groups []sum
	for _, v := range nodes {
		p := geo.FromE7(v.lat, v.lng)
		f := flatAt(p)
		i := slices.IndexFunc(groups, func(g sum) bool {
			return f.toM(geo.Point{Lat: g.p.Lat / g.n, Lng: g.p.Lng / g.n}) <= oneCrossingM
		})
		if i < 0 {
			groups = append(groups, sum{p, 1})
			continue
		}
		g := &groups[i]
		g.p.Lat, g.p.Lng, g.n = g.p.Lat+p.Lat, g.p.Lng+p.Lng, g.n+1
	}
	out := make([]geo.Point, len(groups))
	for i, g := range groups {
		out[i] = geo.Point{Lat: g.p.Lat / g.n, Lng: g.p.Lng / g.n}
	}
	return out
}
