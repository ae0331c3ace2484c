// Package runtime runs the actors of one node: it starts and stops them, counts what they do by
// kind, recovers their panics and keeps the goroutines that their mailboxes run on. It knows
// nothing about rides.
package runtime
