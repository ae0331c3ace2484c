// Package floors has only tests, which keep Hexhail's packages on their floors: which package may
// import which, and what the domain must not do.
package floors
