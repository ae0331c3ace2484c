// Package dbfaults tests the whole server with a database that is slow, frozen, full or gone: what
// clients get, and what operators see.
package dbfaults
