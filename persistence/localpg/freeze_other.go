//go:build !linux

package localpg

import "errors"

// Freeze is for Linux alone.
func (s *Server) Freeze() (thaw func(), err error) {
	return nil, errors.New("only Linux is known here")
}
