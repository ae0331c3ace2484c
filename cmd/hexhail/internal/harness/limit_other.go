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
