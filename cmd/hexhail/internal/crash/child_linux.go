package crash

import "syscall"

// detached shields the server from the terminal's Ctrl-C, so that only this process kills or stops
// it, and makes it die with this process.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
