//go:build !race

package harness

// raceDetector says whether tests run with the race detector.
const raceDetector = false
