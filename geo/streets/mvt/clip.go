package mvt

import "math"

// Box is a rectangle, borders included.
type Box struct{ MinX, MinY, MaxX, MaxY int32 }

// Clip is what tiles are clipped to: some units more than they are wide, so that neither lines nor
// their ends show at the border.
var Clip = Box{-buffer, -buffer, Extent + buffer, Extent + buffer}

const buffer = 64

// the sides of a box that a point lies beyond
const (
	left = 1 << iota
	right
	above
	below
)

func (b Box) beyond(p Point) (sides uint8) {
	if p.X < b.MinX {
		sides |= left
	} else if p.X > b.MaxX {
		sides |= right
	}
	if p.Y < b.MinY {
		sides |= above
	} else if p.Y > b.MaxY {
		sides |= below
	}
	return sides
}

// cross is the place where the line from p to q crosses the side of the box.
func (b Box) cross(p, q Point, side uint8) Point {
	switch side {
	case left:
		return Point{b.MinX, at(p.X, p.Y, q.X, q.Y, b.MinX)}
	case right:
		return Point{b.MaxX, at(p.X, p.Y, q.X, q.Y, b.MaxX)}
	case above:
		return Point{at(p.Y, p.X, q.Y, q.X, b.MinY), b.MinY}
	}
	return Point{at(p.Y, p.X, q.Y, q.X, b.MaxY), b.MaxY}
}

// at is where a line from (u0, v0) to (u1, v1) has u, rounded. It is the same from both ends.
func at(u0, v0, u1, v1, u int32) int32 {
	if u0 > u1 {
		u0, v0, u1, v1 = u1, v1, u0, v0
	}
	return v0 + int32(math.Round((float64(v1)-float64(v0))*(float64(u)-float64(u0))/(float64(u1)-float64(u0))))
}

// Line calls add for each part of a line within the box (D. Cohen and I. Sutherland's method). What add gets is
// valid during the call; buf is where it is made, and is returned for the next line.
func (b Box) Line(pts, buf []Point, add func([]Point)) []Point {
	buf = buf[:0]
	for i := range len(pts) - 1 {
		p, q, ok := b.piece(pts[i], pts[i+1])
		if !ok {
			continue
		}
		if len(buf) > 0 && buf[len(buf)-1] != p {
			add(buf)
			buf = buf[:0]
		}
		if len(buf) == 0 {
			buf = append(buf, p)
		}
		if buf = append(buf, q); q != pts[i+1] {
			add(buf)
			buf = buf[:0]
		}
	}
	if len(buf) > 1 {
		add(buf)
	}
	return buf
}

// piece is the part of the line from p to q within the box.
func (b Box) piece(p, q Point) (Point, Point, bool) {
	for {
		x, y := b.beyond(p), b.beyond(q)
		switch {
		case x|y == 0:
			return p, q, true
		case x&y != 0:
			return p, q, false
		case x != 0:
			p = b.cross(p, q, x&-x)
		default:
			q = b.cross(p, q, y&-y)
		}
	}
}

// Ring clips a ring (I. Sutherland and G. Hodgman, "Reentrant Polygon Clipping", CACM 17(1), 1974): the
// result may run along the border several times, which does no harm to what is filled. It uses and returns
// two buffers; the first has the result, which is empty if nothing is left.
func (b Box) Ring(ring, out, spare []Point) (result, other []Point) {
	out = append(out[:0], b.outside(ring, spare)...)
	for side := uint8(left); side <= below; side <<= 1 {
		spare = spare[:0]
		for i, q := range out {
			p := out[(i+len(out)-1)%len(out)]
			in := b.beyond(q)&side == 0
			if in != (b.beyond(p)&side == 0) {
				spare = append(spare, b.cross(p, q, side))
			}
			if in {
				spare = append(spare, q)
			}
		}
		out, spare = spare, out
	}
	return out, spare
}

// outside drops points where both the line to them and the line on lie beyond one side: most of a coast is
// nowhere near a tile.
func (b Box) outside(ring, out []Point) []Point {
	out = out[:0]
	last := uint8(0) // of the point kept last
	for i, p := range ring {
		here, next := b.beyond(p), b.beyond(ring[(i+1)%len(ring)])
		if i > 0 && last&here&next != 0 {
			continue
		}
		out, last = append(out, p), here
	}
	return out
}
