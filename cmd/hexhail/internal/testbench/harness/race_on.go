//go:build race

package harness

// RaceDetector says whether tests run with the race detector.
const RaceDetector = true
