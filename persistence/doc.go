// Package persistence keeps trips, accounts and all that belongs to them, in an
// embedded SQLite file or in Postgres: one schema, one SQL text, one conformance
// suite for both (ride/storetest).
//
// Every trip transition is a compare-and-set on the trip's version and fence, and
// goes through a group committer: one goroutine takes all that is waiting, writes it in
// one transaction and answers each caller when that transaction is on disk. A
// refused transition never harms the others of its batch.
//
// Errors wrap the sentinels of package ride. If the store cannot answer
// (unreachable, too slow, disk full, read-only), the error is ride.ErrUnavailable with the
// cause wrapped beside it.
package persistence
