//go:build !unix

package etcdtest

import "errors"

// Freeze is for Unix alone.
func (s *Server) Freeze() (thaw func(), err error) {
	return nil, errors.New("only Unix is known here")
}
