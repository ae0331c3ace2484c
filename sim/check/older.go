package check

import (
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// The times within which the older of two sockets of one account is closed (L3), the second where a
// fault may have lost the nodes' messages: it counts from the end of the fault.
const (
	olderWithin    = time.Second
	olderRecovered = 10 * time.Second
)

// replacedCode is how the older socket is closed.
var replacedCode = strconv.Itoa(int(ridepb.CloseReplaced))

// older is a socket that was open when its client began a newer session.
type older struct {
	open    bool
	leaving bool  // its client has begun to connect again
	ended   bool  // the server has closed it
	since   int64 // when the newer session began; 0: it has not
}

// olderLate reports whether an open older socket should have been closed by now. A lag of this
// machine of less than Lagging is not seen.
func (c *Checker) olderLate(k *seen, now int64) bool {
	return k.older.open && now > c.olderBound(k.older.since, now)
}

func (c *Checker) olderBound(since, now int64) int64 {
	if c.faults.touch(since, now) {
		return c.faults.after(since, now) + int64(olderRecovered+Lagging)
	}
	return since + int64(olderWithin+Lagging)
}

// olderNews judges an event on a client's older socket.
func (c *Checker) olderNews(k *seen, r Record) {
	switch {
	case k.older.ended:
		c.violated(OneSession, "%s received an event on its older socket after that was closed", k.name)
	case !c.olderLate(k, r.At):
	case c.lags.near(k.older.since, r.At):
		c.late[OneSession]++
	default:
		c.violated(OneSession, "%s received an event on its older socket %s after its newer session began", k.name, time.Duration(r.At-k.older.since))
	}
}

// olderEnded judges the end of a client's older socket. The server may close it before the client learns
// that its newer session has begun.
func (c *Checker) olderEnded(k *seen, r Record) {
	if !k.older.open && !k.older.leaving {
		return
	}
	late, since := c.olderLate(k, r.At), r.At
	if k.older.open {
		since = k.older.since
	}
	k.older.open, k.older.leaving, k.older.ended = false, false, true
	switch {
	case late && c.lags.near(since, r.At):
		c.late[OneSession]++
	case late:
		c.violated(OneSession, "the older socket of %s was closed (%s) only %s after its newer session began", k.name, r.Code, time.Duration(r.At-since))
	case r.Code != replacedCode && !c.faults.touch(since-int64(olderRecovered), r.At):
		c.violated(OneSession, "the older socket of %s was closed with %s instead of %s", k.name, r.Code, replacedCode)
	case r.Code == replacedCode:
		c.met[OneSession]++
	}
}

// left notes that a client connects again while its socket is open.
func (c *Checker) left(k *seen) {
	c.judges(OneSession)
	k.older = older{leaving: true}
}
