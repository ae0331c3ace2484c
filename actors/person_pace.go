package actors

import (
	"time"

	"github.com/hexhail/hexhail/ride"
)

// paced refuses a command if its account has to wait, and reports whether it did.
func (p *person) paced(m framed, d deed) bool {
	wait := p.sys.pace.wait(p.account.ID, d, time.Now())
	if wait <= 0 {
		return false
	}
	p.refuse(m, refusal(ride.ErrTooMany.With("Too often in a short time; wait a while.").After(wait)))
	return true
}

// judge counts the deed that a command has turned out to be.
func (p *person) judge(cmd *pendingCommand, m tripResult) {
	c, ok := cmd.message.Command.(ride.CancelTrip)
	if !ok || m.Trip == nil || m.Reply.GetError() != nil {
		return
	}
	d := deedIdle
	if c.By == ride.ByDriver || m.Trip.Search.Asked > 0 {
		d = deedCancel
	}
	p.sys.pace.count(p.account.ID, d, time.Now())
}
