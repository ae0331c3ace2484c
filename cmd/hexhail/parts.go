package main

import "github.com/hexhail/hexhail/cmd/hexhail/internal/cli"

// parts are the constructors of everything that commands need: the one place where
// the store, the actors, the sockets and the HTTP API meet.
func parts() cli.Parts {
	return cli.Parts{}
}
