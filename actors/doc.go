// Package actors holds the shells around the domain: one actor for each driver, rider, operator and
// trip, and one for each occupied H3 cell.
package actors
