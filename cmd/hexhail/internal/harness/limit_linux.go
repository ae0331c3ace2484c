package harness

import (
	"testing"

	"golang.org/x/sys/unix"
)

// FillDisk makes every write of a child to a file fail, as a full disk would, until
// the returned function is called.
func (s *Server) FillDisk(tb testing.TB) (free func()) {
	tb.Helper()
	return s.limit(tb, unix.RLIMIT_FSIZE)
}

// TakeFiles lets a child open no further file and accept no further connection, until
// the returned function is called.
func (s *Server) TakeFiles(tb testing.TB) (give func()) {
	tb.Helper()
	return s.limit(tb, unix.RLIMIT_NOFILE)
}

// limit sets a soft limit of a child to 0; what it returns sets it back.
func (s *Server) limit(tb testing.TB, resource int) (undo func()) {
	tb.Helper()
	if s.pid == 0 {
		tb.Fatal("only a server in a child can have limits of its own")
	}
	var old unix.Rlimit
	if err := unix.Prlimit(s.pid, resource, nil, &old); err != nil {
		tb.Fatal(err)
	}
	if err := unix.Prlimit(s.pid, resource, &unix.Rlimit{Cur: 0, Max: old.Max}, nil); err != nil {
		tb.Fatal(err)
	}
	return func() {
		if err := unix.Prlimit(s.pid, resource, &old, nil); err != nil {
			tb.Fatal(err)
		}
	}
}
