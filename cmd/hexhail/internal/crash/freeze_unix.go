//go:build unix

package crash

import (
	"os"
	"syscall"
)

// freezeProcess lets a process stand still, thawProcess lets it go on. It may be gone.
func freezeProcess(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }
func thawProcess(p *os.Process) error   { return p.Signal(syscall.SIGCONT) }
