//go:build linux || darwin || freebsd

package backup

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeBytes is how much this user may write to a directory's disk.
func freeBytes(dir string) (int64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // the types differ by system
}

// ownAs gives files that root created to the directory's owner, whose server must be able to read
// them.
func ownAs(dir string, paths ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, p := range paths {
		if err := os.Chown(p, int(sys.Uid), int(sys.Gid)); err != nil {
			return err
		}
	}
	return nil
}
