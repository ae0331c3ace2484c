package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"runtime"
	"time"
)

// pageOf is the address of a server's pages as this machine's browser reaches them: a
// server that listens everywhere listens on the loopback, too.
func pageOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	u.Path = "/"
	return u.String()
}

// private reports whether only this machine can reach an address to listen on.
func private(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// openTimeout bounds what hands a page to the browser; it ends once the browser has it.
const openTimeout = 10 * time.Second

// openPage opens a page in this machine's browser.
func openPage(ctx context.Context, page string) error {
	name, args := "xdg-open", []string{page}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", page}
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
		return fmt.Errorf("open the browser with %s: %w", name, err)
	}
	return nil
}
