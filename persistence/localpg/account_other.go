//go:build !unix

package localpg

import "syscall"

func giveAway(string) error          { return nil }
func asServer() *syscall.SysProcAttr { return nil }
func detached() *syscall.SysProcAttr { return nil }
