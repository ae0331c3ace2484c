// Package cluster joins nodes. Members keeps this process among the members: it feeds the judge of
// package membership with what package registry and pings find out, and says who is counted.
// Provider brings the same list to protoactor's cluster.
//
// The server of one node does not use it.
package cluster
