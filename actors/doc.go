// Package actors holds the shells around the domain: an actor for each driver,
// rider and trip, and for each occupied H3 cell.
package actors
