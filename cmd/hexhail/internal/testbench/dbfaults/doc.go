// Package dbfaults tests the whole server with a database that is slow, frozen, full or
// gone: what people hear, and what operators do.
package dbfaults
