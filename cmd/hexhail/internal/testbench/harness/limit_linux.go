package harness

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// FillDisk makes every write of a child to a file fail, as a full disk would, until
// the returned function is called.
func (s *Server) FillDisk(tb testing.TB) (free func()) {
	tb.Helper()
	return s.limit(tb, unix.RLIMIT_FSIZE)
}

// TakeFiles stops a child from opening files and accepting connections, until the returned function
// is called.
func (s *Server) TakeFiles(tb testing.TB) (give func()) {
	tb.Helper()
	return s.limit(tb, unix.RLIMIT_NOFILE)
}

// limit sets a soft limit of a child to 0; undo restores it.
func (s *Server) limit(tb testing.TB, resource int) (undo func()) {
	tb.Helper()
	if s.pid == 0 {
		tb.Fatal("only a server in a child process can have separate limits")
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

// Freeze stops a child, of a cluster the first node, with SIGSTOP until the returned function is called, or at the latest when
// the test ends.
func (s *Server) Freeze(tb testing.TB) (thaw func()) {
	tb.Helper()
	if s.pid == 0 {
		tb.Fatal("only a server in a child can be frozen")
	}
	if err := unix.Kill(s.pid, unix.SIGSTOP); err != nil {
		tb.Fatal(err)
	}
	thaw = sync.OnceFunc(func() {
		if err := unix.Kill(s.pid, unix.SIGCONT); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(thaw) // before the server is asked to stop, which a frozen one cannot
	return thaw
}

// RaiseFiles lets this process and its later children have n files open, or skips the test if the
// hard limit is lower.
func RaiseFiles(tb testing.TB, n uint64) {
	tb.Helper()
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil {
		tb.Fatal(err)
	}
	if now.Cur >= n {
		return
	}
	if now.Max < n {
		tb.Skipf("this needs %d open files, and the limit is %d", n, now.Max)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: now.Max}); err != nil {
		tb.Fatal(err)
	}
}

// Disk is a small file system.
type Disk struct{ Dir string }

// NewDisk mounts a file system of this size until the test ends. It reports false where that is not
// allowed.
func NewDisk(tb testing.TB, bytes string) (Disk, bool) {
	tb.Helper()
	d := Disk{filepath.Join(tb.TempDir(), "disk")}
	if err := os.Mkdir(d.Dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	switch err := unix.Mount("hexhail-test", d.Dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=700,size="+bytes); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ENODEV):
		return d, false
	case err != nil:
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(d.Dir, unix.MNT_DETACH); err != nil {
			tb.Error(err)
		}
	})
	return d, true
}

// Fill leaves no byte free until the returned function is called.
func (d Disk) Fill(tb testing.TB) (free func()) {
	tb.Helper()
	ballast := filepath.Join(d.Dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }() // the write's error is the one that matters
	for size := 64 << 10; size > 0; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, unix.ENOSPC):
			size /= 2
		case err != nil:
			tb.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			tb.Error(err)
		}
	}
}
