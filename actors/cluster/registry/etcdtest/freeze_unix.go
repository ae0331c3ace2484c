//go:build unix

package etcdtest

import (
	"sync"
	"syscall"
)

// Freeze stops the server as SIGSTOP does: connections stay open and nothing answers, while leases
// run on. thaw lets it go on; more calls of it do nothing.
func (s *Server) Freeze() (thaw func(), err error) {
	process := s.server.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { _ = process.Signal(syscall.SIGCONT) }), nil // it may be gone
}
