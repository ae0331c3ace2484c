package runtime

import "time"

// Timers holds an actor's timers by name, at most one of each. A replaced timer may already have
// sent its message, so the receiver checks what the message carries.
type Timers map[string]*time.Timer

// After calls f once after d, in place of the timer of that name. f runs on a separate goroutine,
// so it must only send a message: see Host.Sender.
func (t *Timers) After(name string, d time.Duration, f func()) {
	t.Cancel(name)
	if *t == nil {
		*t = make(Timers)
	}
	(*t)[name] = time.AfterFunc(max(d, 0), f)
}

// Cancel stops the timer of that name, if there is one.
func (t *Timers) Cancel(name string) {
	if timer := (*t)[name]; timer != nil {
		timer.Stop()
		delete(*t, name)
	}
}

// Stop stops them all.
func (t *Timers) Stop() {
	for name := range *t {
		t.Cancel(name)
	}
}
