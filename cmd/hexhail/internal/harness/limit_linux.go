package harness

import (
	"testing"

	"golang.org/x/sys/unix"
)

// FillDisk makes every write of a child to a file fail, as a full disk would, until
// the returned function is called.
func (s *Server) FillDisk(tb testing.TB) (free func()) {
	tb.Helper()
	if s.pid == 0 {
		tb.Fatal("only a server in a child can have a disk of its own")
	}
	var old unix.Rlimit
	if err := unix.Prlimit(s.pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY}, &old); err != nil {
		tb.Fatal(err)
	}
	return func() {
		if err := unix.Prlimit(s.pid, unix.RLIMIT_FSIZE, &old, nil); err != nil {
			tb.Fatal(err)
		}
	}
}
