//go:build !linux

package harness

import "testing"

// FillDisk is for Linux only.
func (s *Server) FillDisk(tb testing.TB) (free func()) {
	tb.Skip("limits of another process need Linux")
	return nil
}
