//go:build unix

package server

import "golang.org/x/sys/unix"

// openFiles is how many files and connections this process may have open; 0 means unknown. Go
// raises the soft limit to the hard one at start-up.
func openFiles() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur) //nolint:unconvert // signed on some systems
}
