package routers

import (
	"sync"
	"time"
)

const (
	// patience is how many failures in a row make a pause, and pause is how long one lasts. After it, one
	// request finds out whether the server is back.
	patience = 5
	pause    = 10 * time.Second
)

// outcome is what became of a request.
type outcome uint8

const (
	answered outcome = iota // also that there is no route
	failed
	abandoned // whoever asked did not wait, or not long
)

// breaker says when a server that fails is to be left alone. It is safe for concurrent use.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // the end of the pause
	probing  bool
}

// begin reports whether to ask, and whether that is the one request after a pause.
func (b *breaker) begin() (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < patience {
		return false, true
	}
	if b.probing || b.now().Before(b.until) {
		return false, false
	}
	b.probing = true
	return true, true
}

// end takes the outcome of a request that begin allowed, and reports whether a pause has begun or all of them are over.
func (b *breaker) end(probe bool, o outcome) (paused, back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch o {
	case answered:
		back = b.failures >= patience
		b.failures = 0
	case failed:
		b.failures++
		paused = b.failures == patience
		if b.failures >= patience {
			b.until = b.now().Add(pause)
		}
	case abandoned:
	}
	return paused, back
}
