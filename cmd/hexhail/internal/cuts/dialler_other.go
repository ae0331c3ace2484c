//go:build !linux

package cuts

import "net"

// KnowsDialler says that DialledBy works on this system.
const KnowsDialler = false

// DialledBy needs Linux; elsewhere no process is found.
func DialledBy(net.Conn, string) string { return "" }
