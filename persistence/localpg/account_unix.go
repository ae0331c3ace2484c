//go:build unix

package localpg

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// serverAccount is who runs the server: this account, or when that is root, which
// Postgres refuses, the account "postgres" or else "nobody".
func serverAccount() (uid, gid uint32, other bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return uint32(uid), uint32(gid), true
		}
	}
	return 65534, 65534, true
}

// giveAway makes the server's account the owner of a directory.
func giveAway(dir string) error {
	uid, gid, other := serverAccount()
	if !other {
		return nil
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return fmt.Errorf("give directory to the server's account: %w", err)
	}
	return nil
}

// asServer makes a child run under the server's account.
func asServer() *syscall.SysProcAttr {
	uid, gid, other := serverAccount()
	if !other {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
}

// detached is asServer in a session of its own, which a Ctrl-C does not reach.
func detached() *syscall.SysProcAttr {
	a := asServer()
	a.Setsid = true
	return a
}
