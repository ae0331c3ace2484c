package persistence

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// The bytes of the shared-memory file that SQLite's readers and its writer lock.
const (
	shmReadLocks = 123 // the first of five
	shmLastLock  = 127
)

// readersOf names the other processes that hold a read transaction on a database, as far
// as the kernel says, such as "sqlite3 (pid 4711)". It is for messages alone.
func readersOf(path string) []string { return holders(path, shmReadLocks, shmLastLock) }

// holders reads /proc/locks for locks on a range of the shared-memory file. Device numbers
// differ there on some file systems, so that the inode must do.
func holders(path string, first, last int64) []string {
	st, err := os.Stat(path + "-shm")
	if err != nil {
		return nil
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var out []string
	seen := map[int]bool{os.Getpid(): true}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text()) // 1: POSIX ADVISORY READ 4711 08:01:1234 123 123
		if len(w) != 8 || w[1] != "POSIX" || !strings.HasSuffix(w[5], ":"+strconv.FormatUint(sys.Ino, 10)) {
			continue
		}
		pid, err := strconv.Atoi(w[4])
		at, err2 := strconv.ParseInt(w[6], 10, 64)
		if err != nil || err2 != nil || at < first || at > last || seen[pid] {
			continue
		}
		seen[pid] = true
		out = append(out, processName(pid))
	}
	return out
}

func processName(pid int) string {
	if pid <= 0 {
		return "a process of another container"
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid)
}
