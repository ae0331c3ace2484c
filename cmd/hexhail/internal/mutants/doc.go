// Package mutants proves the crash proof: it builds Hexhail with one promise broken on
// purpose and runs hexhail sim crash on it, which must find out which.
//
// Building takes its time, so the tests skip unless the environment sets HEXHAIL_MUTANTS=1.
package mutants
