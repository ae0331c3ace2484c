package harness

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// attempt is a test that may be tried again: what would fail the test ends the attempt.
type attempt struct {
	testing.TB
	mu      sync.Mutex
	failure string
}

// Try runs f, once, in the calling goroutine, and returns what failed. What f passes its TB to must
// stop the test in the same goroutine alone, as is the rule for tests. f's cleanups run at the end of tb.
func Try(tb testing.TB, f func(tb testing.TB)) (err error) {
	a := &attempt{TB: tb}
	defer func() {
		if cause := recover(); cause != nil && cause != any(a) {
			panic(cause)
		}
		if a.Failed() {
			err = errors.New(a.failure)
		}
	}()
	f(a)
	return nil
}

func (a *attempt) note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failure += text
}

// Error and the methods below replace those that fail a test.
func (a *attempt) Error(args ...any) { a.note(fmt.Sprintln(args...)) }

// Errorf implements testing.TB.
func (a *attempt) Errorf(format string, args ...any) { a.note(fmt.Sprintf(format, args...)) }

// Fail implements testing.TB.
func (a *attempt) Fail() { a.note("failed") }

// FailNow implements testing.TB.
func (a *attempt) FailNow() {
	a.Fail()
	panic(a)
}

// Fatal implements testing.TB.
func (a *attempt) Fatal(args ...any) {
	a.Error(args...)
	panic(a)
}

// Fatalf implements testing.TB.
func (a *attempt) Fatalf(format string, args ...any) {
	a.Errorf(format, args...)
	panic(a)
}

// Failed implements testing.TB.
func (a *attempt) Failed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure != ""
}
