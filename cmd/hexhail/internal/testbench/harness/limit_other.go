//go:build !linux

package harness

import "testing"

// FillDisk is for Linux only.
func (s *Server) FillDisk(tb testing.TB) (free func()) {
	tb.Skip("limits of another process need Linux")
	return nil
}

// TakeFiles needs Linux.
func (s *Server) TakeFiles(tb testing.TB) (give func()) {
	tb.Skip("limits of another process can be set on Linux only")
	return nil
}

// Freeze needs Linux.
func (s *Server) Freeze(tb testing.TB) (thaw func()) {
	tb.Skip("a process can be frozen on Linux only")
	return nil
}

// RaiseFiles needs Linux.
func RaiseFiles(tb testing.TB, n uint64) { tb.Skip("limits of files can be set on Linux only") }

// Disk is a small file system.
type Disk struct{ Dir string }

// NewDisk needs Linux.
func NewDisk(tb testing.TB, bytes string) (Disk, bool) { return Disk{}, false }

// Fill needs Linux.
func (d Disk) Fill(tb testing.TB) (free func()) { return func() {} }
