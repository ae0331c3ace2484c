package check

// cutOff reports whether a client should have received everything that it missed by now.
func (c *Checker) cutOff(k *seen, now int64) bool {
	return k.connected && k.seq < k.replayTo && now-c.faults.after(k.since, now) > int64(resumePatient)
}

// end judges what has not happened.
func (c *Checker) end(now int64) {
	for who, k := range c.clients {
		if c.cutOff(k, now) {
			c.violated(NoHole, "%s resumed and never received the events %d to %d", who, k.seq+1, k.replayTo)
		}
		for offer, expires := range k.open {
			if c.overdue(k, expires, now) {
				c.violated(OneEnd, "%s never received the end of offer %s", who, offer)
			}
		}
		for id := range k.own {
			c.outdated(k, id, now)
		}
		if c.olderLate(k, now) {
			c.violated(OneSession, "%s has a newer session, and its older socket was never closed", who)
		}
		if c.barredLate(k, now) {
			c.violated(AccessEnds, "the access of %s has ended, and its socket was never closed", who)
		}
	}
}
