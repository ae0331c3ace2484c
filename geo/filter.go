package geo

import "time"

// The limits of PositionFilter.
const (
	// MaxFixAge is how old a fix may be when the server receives it.
	MaxFixAge = 2 * time.Minute
	// MaxFixAhead is how far a device's clock may be ahead of the server's.
	MaxFixAhead = 30 * time.Second
	// MaxSpeedMPS is the speed between two fixes above which the second is a jump,
	// unless a filter says otherwise: 200 km/h in metres per second.
	MaxSpeedMPS = 200 / 3.6

	// jumpConfirmations is how many fixes after a jump have to agree with it.
	jumpConfirmations = 2
	// clockConfirmations is how many fixes have to agree that the device's clock is wrong,
	// before it is followed: for setBackOver at least when it was set back by no more than
	// MaxFixAge, and for wrongOver when it is farther off than fixes may be.
	clockConfirmations = 2
	setBackOver        = 2 * time.Second
	wrongOver          = 10 * time.Second
	// minFixGap is the least time that counts between two fixes: a burst after a dead
	// spot would otherwise turn a metre of noise into a racing speed.
	minFixGap = time.Second
)

// Verdict is what PositionFilter says of a fix.
type Verdict uint8

// The verdicts. Only an Accepted fix is the driver's position.
const (
	// Invalid: the point is not a place on Earth.
	Invalid Verdict = iota
	// Accepted: the fix is the newest position.
	Accepted
	// TooOld: taken more than MaxFixAge before it was received.
	TooOld
	// FromFuture: taken more than MaxFixAhead after it was received.
	FromFuture
	// OutOfOrder: not newer than the fix before.
	OutOfOrder
	// Quarantined: a jump that the fixes after it have still to confirm.
	Quarantined
)

// String returns the verdict as a word for logs and metric labels.
func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case TooOld:
		return "too_old"
	case FromFuture:
		return "from_future"
	case OutOfOrder:
		return "out_of_order"
	case Quarantined:
		return "quarantined"
	default:
		return "invalid"
	}
}

// PositionFilter decides which fixes of one driver to believe. A fix that would mean
// more than its speed limit since the last accepted one is held back; when the two fixes
// after it agree with it the driver is there, so that a tunnel or a ferry locks no driver
// out for ever; when they go on from the old place the jump is forgotten.
//
// A time that cannot be true never counts against later fixes: one ahead of the server's
// clock counts as taken when it was received, a mark that a server clock set back has left
// in the future is lowered, and a device clock that was set back, or is wrong by hours, is
// followed once the fixes keep pace with the server's for some seconds.
//
// It is a value: the zero one is ready, a copy is independent, it reads no clock and
// does not allocate. It is not safe for concurrent use.
type PositionFilter struct {
	// MaxSpeed is the speed in metres per second above which a fix is a jump; 0 stands
	// for MaxSpeedMPS. Simulations that run faster than time raise it.
	MaxSpeed float64

	last    fix
	suspect fix // the newest fix of an unconfirmed jump
	agreed  uint8

	shift int64 // microseconds that the device's clock was found to be behind by
	run   run   // the fixes whose times do not count since the last one whose did
}

// run is a run of fixes whose times do not count, each newer than the one before: times in
// microseconds by the device's and by the server's clock.
type run struct {
	since, sinceReceived int64 // of the first
	newest               int64 // the device's, of the newest
	more                 uint8 // how many came after the first
}

// fix is a believed time and place; no fix has a time of 0.
type fix struct {
	at    int64 // microseconds since 1970
	point Point
}

// Check judges a fix: where it is, when the device took it (the zero Time when it does
// not say; the time of receipt then stands for it) and when the server received it.
// Any device time is safe to pass.
func (f *PositionFilter) Check(p Point, device, received time.Time) Verdict {
	if p.Validate() != nil {
		return Invalid
	}
	if device.IsZero() {
		device = received
	}
	now, taken := received.UnixMicro(), device.UnixMicro()
	if f.last.at > now+maxAhead { // the server's clock was set back
		f.last.at, f.suspect, f.agreed = now-1, fix{}, 0
	}
	// A clock that runs ahead must not put the mark for later fixes there.
	next := fix{at: min(taken, now), point: p}
	unlike := timely(device, received)
	if f.shift != 0 && (unlike != Accepted || next.at <= f.last.at) {
		next.at, unlike = min(taken+f.shift, now), timely(time.UnixMicro(taken+f.shift), received)
	}
	switch {
	case unlike != Accepted:
		if !f.keepsPace(taken, now, wrongOver) {
			return unlike
		}
		f.shift, next.at = now-taken, now
	case f.last.at != 0 && next.at <= f.last.at:
		if !f.keepsPace(taken, now, setBackOver) {
			return OutOfOrder
		}
		f.shift, next.at = now-taken, now
	}
	if f.last.at == 0 {
		return f.accept(next)
	}
	f.run = run{}
	if next.follows(f.last, f.maxSpeed()) {
		return f.accept(next)
	}
	return f.hold(next)
}

// maxAhead is MaxFixAhead in microseconds.
const maxAhead = int64(MaxFixAhead / time.Microsecond)

// timely judges when a fix was taken. Sub saturates, so that absurd years stay on their side.
func timely(device, received time.Time) Verdict {
	switch age := received.Sub(device); {
	case age > MaxFixAge:
		return TooOld
	case age < -MaxFixAhead:
		return FromFuture
	}
	return Accepted
}

// keepsPace takes note of a fix whose time does not count. It reports whether that is the
// device's clock's fault: then its fixes go on to come for some time, each newer than the one
// before, at the pace of the server's clock. A backlog that is sent late comes faster.
func (f *PositionFilter) keepsPace(device, received int64, over time.Duration) bool {
	r := &f.run
	took, passed := received-r.sinceReceived, device-r.since
	slack := max(took/4, int64(time.Second/time.Microsecond))
	if r.newest == 0 || device <= r.newest || took < 0 || passed > took+slack {
		*r = run{since: device, sinceReceived: received, newest: device}
		return false
	}
	r.newest = device
	r.more = min(r.more+1, clockConfirmations)
	return r.more >= clockConfirmations && took >= int64(over/time.Microsecond) && passed >= took-slack
}

// Last returns the newest accepted point and when it was taken, which is never after it was
// received; false when there is none.
func (f *PositionFilter) Last() (Point, time.Time, bool) {
	if f.last.at == 0 {
		return Point{}, time.Time{}, false
	}
	return f.last.point, time.UnixMicro(f.last.at).UTC(), true
}

func (f *PositionFilter) accept(next fix) Verdict {
	*f = PositionFilter{MaxSpeed: f.MaxSpeed, last: next, shift: f.shift}
	return Accepted
}

// hold deals with a fix too far from the last accepted one.
func (f *PositionFilter) hold(next fix) Verdict {
	switch {
	case f.suspect.at == 0:
		f.suspect = next
	case next.at <= f.suspect.at:
		return OutOfOrder
	case !next.follows(f.suspect, f.maxSpeed()): // a jump from the jump: start over
		f.suspect, f.agreed = next, 0
	default:
		f.suspect, f.agreed = next, f.agreed+1
		if f.agreed >= jumpConfirmations {
			return f.accept(next)
		}
	}
	return Quarantined
}

func (f *PositionFilter) maxSpeed() float64 {
	if f.MaxSpeed > 0 {
		return f.MaxSpeed
	}
	return MaxSpeedMPS
}

// follows reports whether a car of that speed, in metres per second, could have come
// from before to x.
func (x fix) follows(before fix, speed float64) bool {
	gap := time.Duration(x.at-before.at) * time.Microsecond
	return DistanceM(before.point, x.point) <= speed*max(gap, minFixGap).Seconds()
}
