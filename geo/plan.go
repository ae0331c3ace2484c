package geo

import (
	"context"
	"math"
	"time"
)

// Place is where a drive begins or ends. It is a value.
type Place struct {
	Point Point
	// Heading is the direction of a moving car. The zero value is no direction.
	Heading Heading
	// AccuracyM is the radius of 68 % confidence in metres, 0 if it is unknown.
	AccuracyM float64
	// Snap is what a Snapper said about this place. It saves looking for the street again;
	// one of another map is ignored. The zero Snap is none.
	Snap Snap
}

// Heading is a direction that may be unknown. The zero value is.
type Heading struct {
	Deg   float64 // clockwise from north, 0 to 360
	Known bool
}

// HeadingOf returns a known direction.
func HeadingOf(deg float64) Heading { return Heading{Deg: deg, Known: true} }

// Snap is a place on a street of one map. Only the map that made it understands it. It is a value
// of 40 bytes without pointers, so an index may hold one for each driver.
type Snap struct {
	Map     uint64  // identity of the map, 0: no snap
	Segment int32   // the street between two junctions, as the map numbers them
	AlongM  float32 // metres from the segment's beginning
	AwayM   float32 // metres between the place and the street
	Ways    SnapWays
	At      Point // the place on the street
}

// IsZero reports whether s is no snap.
func (s Snap) IsZero() bool { return s.Map == 0 }

// SnapWays says in which directions of its street a car can go on at once. The other one, if the
// street has it, takes turning round.
type SnapWays uint8

// The directions. A car that moves has one.
const (
	SnapForth SnapWays = 1 << iota // in the direction of the segment
	SnapBack                       // against it
)

// Turn says what a driver does at the beginning of a step.
type Turn uint8

// The turns, from left to right by angle.
const (
	TurnDepart Turn = iota // begin to drive
	TurnRound              // turn round
	TurnSharpLeft
	TurnLeft
	TurnSlightLeft
	TurnStraight
	TurnSlightRight
	TurnRight
	TurnSharpRight
	TurnRoundabout // enter a roundabout
	TurnArrive     // be there: the last step, of length 0
)

var turnNames = [...]string{
	"depart", "round", "sharp_left", "left", "slight_left", "straight", "slight_right", "right", "sharp_right", "roundabout", "arrive",
}

// String returns the turn's name, as protocols use it.
func (t Turn) String() string {
	if int(t) < len(turnNames) {
		return turnNames[t]
	}
	return "unknown"
}

// Step is a part of a drive along one street.
type Step struct {
	Turn     Turn   // what to do at its beginning
	Street   string // the street to drive along, "" if it has no name
	Exit     int    // of TurnRoundabout: which exit to take, from 1; else 0
	Route    Route  // of this step
	Index    int    // the point of the plan's Line where it begins
	Position Point  // that point
}

// Plan is a route with its geometry and what a driver needs.
type Plan struct {
	Route
	// Line is the way from the street at From to the street at To: at least two points. Its length
	// is that of the route.
	Line  []Point
	Steps []Step
	// FromName and ToName are the streets at both ends, "" if they have no name.
	FromName, ToName string
	// MapID identifies the map. Plans of an older map stay true of that map.
	MapID string
}

// Planner finds drives along streets. Implementations are safe for concurrent use, honour ctx, and may
// take milliseconds: actors call them from another goroutine.
type Planner interface {
	// Plan returns the best way from one place to another for a drive that begins at a time, which
	// matters where travel times follow the hour; the zero time is now. The error wraps ErrNoRoute if a place has no street
	// nearby or the streets are not joined, ErrInvalidPoint, or the context's error. The caller
	// owns the plan.
	Plan(ctx context.Context, from, to Place, at time.Time) (Plan, error)
}

// Fan estimates many drives that share one end, without their geometry. An ETASource that is a
// Fan takes places, with their headings and snaps, instead of points.
type Fan interface {
	// To returns the routes from many places to one: dispatch's question. Element i belongs to from[i]
	// and is Unreachable() if there is no route. The errors are those of ETASource.Routes; the
	// zero time is now. The caller owns the slice.
	To(ctx context.Context, from []Place, to Place, at time.Time) ([]Route, error)
	// From returns the routes from one place to many.
	From(ctx context.Context, from Place, to []Place, at time.Time) ([]Route, error)
}

// Snapper finds the street at a place. Implementations are safe for concurrent use and take about
// a microsecond, so that actors may call them.
type Snapper interface {
	// Snap returns the place on the nearest street, or with a known heading the best street
	// nearby that leads that way. The error wraps ErrNoRoute if there is no street nearby, or
	// ErrInvalidPoint.
	Snap(p Place) (Snap, error)
}

// TurnOf classifies a change of direction in degrees, clockwise.
func TurnOf(fromDeg, toDeg float64) Turn {
	d := math.Mod(toDeg-fromDeg+540, 360) - 180
	switch a := math.Abs(d); {
	case a < 20:
		return TurnStraight
	case a > 170:
		return TurnRound
	case a < 50:
		return pick(d, TurnSlightLeft, TurnSlightRight)
	case a < 130:
		return pick(d, TurnLeft, TurnRight)
	default:
		return pick(d, TurnSharpLeft, TurnSharpRight)
	}
}

func pick(d float64, left, right Turn) Turn {
	if d < 0 {
		return left
	}
	return right
}
