package crash

import "syscall"

// detached keeps the terminal's Ctrl-C from the server, which is to be killed or stopped
// by us alone, and lets it die with us.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
