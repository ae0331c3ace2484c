package cuts

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// KnowsDialler says that DialledBy works on this system.
const KnowsDialler = true

// DialledBy returns the value of a flag in the command line of the process at the other end of a
// connection on this machine, such as "--node-name"; empty: there is no such process.
func DialledBy(conn net.Conn, flag string) string {
	theirs, ok1 := conn.RemoteAddr().(*net.TCPAddr)
	ours, ok2 := conn.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return ""
	}
	inode := inodeOf(theirs.Port, ours.Port)
	if inode == "" {
		return ""
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well formed
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		for arg := range bytes.SplitSeq(line, []byte{0}) {
			value, ok := strings.CutPrefix(string(arg), flag+"=")
			if ok && holds(filepath.Dir(path), inode) {
				return value
			}
		}
	}
	return ""
}

// inodeOf returns the inode of the socket with a local and a remote port; empty: there is none.
func inodeOf(local, remote int) string {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	ports := [2]string{fmt.Sprintf(":%04X", local), fmt.Sprintf(":%04X", remote)}
	for line := range strings.Lines(string(table)) {
		// sl local_address rem_address st queues timer retransmits uid timeout inode …
		f := strings.Fields(line)
		if len(f) > 9 && strings.HasSuffix(f[1], ports[0]) && strings.HasSuffix(f[2], ports[1]) {
			return f[9]
		}
	}
	return ""
}

// holds reports whether a process has a socket open.
func holds(process, inode string) bool {
	files, _ := filepath.Glob(filepath.Join(process, "fd", "*"))
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && to == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
