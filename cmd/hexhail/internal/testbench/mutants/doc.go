// Package mutants proves the crash proof: it builds Hexhail with one promise broken on
// purpose and runs hexhail sim crash on it, which must find out which.
//
// Building takes its time, so that run skips unless the environment sets HEXHAIL_MUTANTS=1. That
// the mutants still fit the sources is always tried.
package mutants
