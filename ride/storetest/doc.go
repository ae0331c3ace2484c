// Package storetest holds the contracts of the stores as test suites. Every store runs those that
// it claims to keep: SQLite and Postgres, and the fakes in memory that other packages' tests use
// instead of them. A fake that drifts from the database thus fails its own test, before it makes
// another package's test pass.
//
// Each suite opens a new store for every test, with a clock that the test moves. Times are
// whole microseconds in UTC, as the databases keep them.
package storetest
