// Package membership decides which processes form a cluster, and when this process must end because
// the others carry on without it.
//
// A Judge is a value with rules: it has no clock, does no I/O and starts no goroutine. Its owner
// feeds it what happens (listings of the registry, answers to pings, a lost lease, the database's
// health, the passing of time), each with the time, and reads a View. The same inputs give the same
// View.
//
// Two kinds of evidence count. The registry says who is registered; pings say who is alive. A member
// is dropped when its key says that it leaves, or when its key is missing and it is silent. So
// neither a frozen nor a restarted registry changes the cluster, and neither does a member that
// loses the registry alone.
//
// Correctness does not rest on this package: versions and fences in the database keep two owners of
// one trip from both writing it. The rules keep such times short and rare.
package membership
