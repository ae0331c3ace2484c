package main

import (
	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
)

// parts are the constructors of everything that the commands need.
func parts() cli.Parts {
	return cli.Parts{
		Assemble: server.Assemble, Migrate: server.Migrate, CreateOperator: server.CreateOperator, OpenAccounts: server.OpenAccounts,
		Backup: server.Backup, StreamBackup: server.StreamBackup, CheckBackup: server.CheckBackup, Restore: server.Restore,
	}
}
