// Package dispatch decides for a whole zone which drivers are asked for which trips, and which trips change drivers
// before the pickup. It is as pure as package ride: no clock, no randomness, no I/O, no goroutine. The same snapshot
// gives the same plan, byte for byte, whatever the order of its slices. Prices are whole nanoseconds.
//
// A caller takes a Snapshot of the zone, asks Shortlist whose ways it needs, finds them, and calls Decide. The trips
// themselves (ride.Decide) remain the judges of every offer and exchange.
package dispatch
