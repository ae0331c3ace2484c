//go:build !unix

package pgtest

import "syscall"

func giveAway(string) error          { return nil }
func asServer() *syscall.SysProcAttr { return nil }
func detached() *syscall.SysProcAttr { return nil }
