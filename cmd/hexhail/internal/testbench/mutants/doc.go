// Package mutants proves the crash proof: it builds Hexhail with one promise deliberately broken
// and runs hexhail sim crash on it, which must name that promise.
//
// Building is slow, so that run is skipped unless HEXHAIL_MUTANTS=1 is set. A quick test always
// checks that the mutants still fit the sources.
package mutants
