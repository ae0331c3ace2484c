package check

import (
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// barredWithin is how long after an operator has ended an account's access a socket of it may be open (L4).
const barredWithin = 5 * time.Second

// suspendedCode is how the socket of a suspended account is closed. A suspended account cannot
// connect again; one that was only logged out can.
var suspendedCode = strconv.Itoa(int(ridepb.CloseSuspended))

// barred is what is known of an account whose access was ended.
type barred struct {
	at   int64  // when; 0: it was not
	code string // how its socket must be closed
	open bool   // a socket of it is open
}

// bar notes that an account's access has ended. Its socket may have been closed before the operator
// learnt of it.
func (c *Checker) bar(k *seen, r Record) {
	c.judges(AccessEnds)
	k.barred = barred{at: max(r.At, 1), code: r.Code, open: k.connected}
	if !k.connected && k.lost == r.Code {
		c.met[AccessEnds]++
	}
}

// barredLate reports whether the socket of an account without access should have been closed by now. A
// lag of less than Lagging is not seen.
func (c *Checker) barredLate(k *seen, now int64) bool {
	return k.barred.open && now-c.faults.after(k.barred.at, now) > int64(barredWithin+Lagging)
}

// barredLost judges the end of a session whose account has no access any more.
func (c *Checker) barredLost(k *seen, r Record) {
	k.lost = r.Code
	if !k.barred.open {
		return
	}
	late, since := c.barredLate(k, r.At), k.barred.at
	k.barred.open = false
	switch {
	case late && c.lags.within(since, r.At):
		c.late[AccessEnds]++
	case late:
		c.violated(AccessEnds, "the socket of %s was open for %s after its access had ended", k.name, time.Duration(r.At-since))
	case r.Code == k.barred.code:
		c.met[AccessEnds]++
	case !c.faults.touch(since, r.At):
		c.violated(AccessEnds, "the socket of %s, whose access had ended, was closed with %s instead of %s", k.name, r.Code, k.barred.code)
	}
}

// barredBegan judges a session that begins after the access has ended.
func (c *Checker) barredBegan(k *seen, r Record) {
	switch {
	case k.barred.at == 0:
	case k.barred.code != suspendedCode: // it has logged in again
		k.barred = barred{}
	default:
		k.barred.open = true
		if c.barredLate(k, r.At) {
			k.barred.open = false // one finding is enough
			c.violated(AccessEnds, "%s began a session %s after it was suspended", k.name, time.Duration(r.At-k.barred.at))
		}
	}
}
