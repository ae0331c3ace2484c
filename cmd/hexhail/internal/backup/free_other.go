//go:build !linux && !darwin && !freebsd

package backup

// freeBytes is unknown on this system.
func freeBytes(string) (int64, bool) { return 0, false }

// ownAs is a no-op on this system.
func ownAs(string, ...string) error { return nil }
