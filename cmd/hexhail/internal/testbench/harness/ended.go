package harness

import (
	"errors"
	"os/exec"
)

// Ended is closed when the server has ended, however it did.
func (s *Server) Ended() <-chan struct{} { return s.exited }

// ExitCode is the exit code of a child that has ended; -1 if a signal ended it.
func (s *Server) ExitCode() int {
	<-s.exited
	var code *exec.ExitError
	if errors.As(s.Stop(), &code) {
		return code.ExitCode()
	}
	return 0
}
