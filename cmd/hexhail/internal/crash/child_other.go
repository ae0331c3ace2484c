//go:build !linux

package crash

import "syscall"

// detached does nothing here: the terminal's Ctrl-C reaches the server, too.
func detached() *syscall.SysProcAttr { return nil }
