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
	// clockConfirmations is how many fixes have to agree that the device's clock is wrong before
	// the filter follows it: over at least setBackOver if it was set back by at most MaxFixAge, and
	// over wrongOver if it is off by more than fixes may be.
	clockConfirmations = 2
	setBackOver        = 2 * time.Second
	wrongOver          = 10 * time.Second
	// minFixGap is the least time that counts between two fixes: a burst after a dead
	// spot would otherwise turn a metre of noise into a racing speed.
	minFixGap = time.Second
)

// Verdict is PositionFilter's decision on a fix.
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
	// Quarantined: a jump that later fixes have yet to confirm.
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

// PositionFilter decides which fixes of one driver to accept. It holds back a fix that would mean
// exceeding its speed limit since the last accepted one. If the next two fixes agree with it, the
// driver is there, so that a tunnel or a ferry does not lock a driver out forever; if they continue
// from the old place, the jump is forgotten.
//
// An impossible time never blocks later fixes. A fix dated ahead of the server's clock counts as
// taken when it was received. If the server's clock is set back, the time of the last fix is
// lowered. A device's clock that is set back, or wrong by hours, is followed once the fixes have
// kept pace with the server's clock for some seconds.
//
// It is a value: the zero one is ready, a copy is independent, it reads no clock and
// does not allocate. It is not safe for concurrent use.
type PositionFilter struct {
	// MaxSpeed is the speed in metres per second above which a fix is a jump; 0 stands for
	// MaxSpeedMPS. Simulations faster than real time raise it.
	MaxSpeed float64

	last    fix
	suspect fix // the newest fix of an unconfirmed jump
	agreed  uint8

	shift int64 // microseconds by which the device's clock is known to be behind
	run   run   // fixes with ignored times since the last fix with a valid one
}

// run is a run of fixes whose times are ignored, each newer than the previous one. Its times are in
// microseconds by the device's and by the server's clock.
type run struct {
	since, sinceReceived int64 // of the first
	newest               int64 // the device's, of the newest
	more                 uint8 // how many fixes followed the first
}

// fix is an accepted time and place; a time of 0 means no fix.
type fix struct {
	at    int64 // microseconds since 1970
	point Point
}

// Check judges a fix: its point, when the device took it (the zero Time stands for the time of
// receipt) and when the server received it. Any device time is safe to pass.
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
	// A clock that runs ahead must not move the time of the last fix into the future.
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
	if next.reachableFrom(f.last, f.maxSpeed()) {
		return f.accept(next)
	}
	return f.hold(next)
}

// maxAhead is MaxFixAhead in microseconds.
const maxAhead = int64(MaxFixAhead / time.Microsecond)

// timely judges when a fix was taken. Sub saturates, so absurd years keep their sign.
func timely(device, received time.Time) Verdict {
	switch age := received.Sub(device); {
	case age > MaxFixAge:
		return TooOld
	case age < -MaxFixAhead:
		return FromFuture
	}
	return Accepted
}

// keepsPace notes a fix whose time is ignored. It reports whether the device's clock is wrong: in
// that case fixes keep coming for some time, each newer than the previous one, at the pace of the
// server's clock. A backlog that is sent late comes faster.
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

// Last returns the newest accepted point and when it was taken, which is never after its receipt.
// It reports false if there is none.
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

// hold handles a fix too far from the last accepted one.
func (f *PositionFilter) hold(next fix) Verdict {
	switch {
	case f.suspect.at == 0:
		f.suspect = next
	case next.at <= f.suspect.at:
		return OutOfOrder
	case !next.reachableFrom(f.suspect, f.maxSpeed()): // a jump from the jump: start over
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

// reachableFrom reports whether a car of that speed, in metres per second, could have come
// from before to x.
func (x fix) reachableFrom(before fix, speed float64) bool {
	gap := time.Duration(x.at-before.at) * time.Microsecond
	return DistanceM(before.point, x.point) <= speed*max(gap, minFixGap).Seconds()
}
