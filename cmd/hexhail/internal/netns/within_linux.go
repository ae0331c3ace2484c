package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// detached shields a process from the terminal's Ctrl-C, after which a run still needs its network.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// within runs a function on a thread that is in the space.
func (s *space) within(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		back, err := s.visit(f)
		if back { // otherwise the thread ends with this goroutine
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// visit runs a function with the thread in the space, and reports whether the thread is back where it was.
func (s *space) visit(f func() error) (back bool, err error) {
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return true, fmt.Errorf("own namespace: %w", err)
	}
	defer home.Close()
	there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", s.pid()))
	if err != nil {
		return true, fmt.Errorf("namespace: %w", err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return true, fmt.Errorf("enter a namespace: %w", err)
	}
	err = f()
	leaves := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)
	return leaves == nil, errors.Join(err, leaves)
}
