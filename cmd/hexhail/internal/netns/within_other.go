//go:build !linux

package netns

import "syscall"

func detached() *syscall.SysProcAttr { return nil }

// within is for Linux alone, where a network can be made.
func (*space) within(func() error) error { return ErrUnavailable }
