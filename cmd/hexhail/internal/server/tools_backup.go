package server

import (
	"context"
	"io"
	"log/slog"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/backup"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// placeOf says where a configured server's data are.
func placeOf(c *config.Config) backup.Place {
	store := storeOptions(c, slog.New(slog.DiscardHandler))
	if store.DatabaseDirectURL != "" { // pg_dump and psql need sessions
		store.DatabaseURL = store.DatabaseDirectURL
	}
	return backup.Place{Store: store, DataDir: c.Store.DataDir, KeyPath: c.SigningKeyPath()}
}

func optionsOf(o cli.BackupOptions) backup.Options {
	return backup.Options{Force: o.Force, Program: o.Program, Progress: o.Progress}
}

func reportOf(r backup.Report, err error) (cli.BackupReport, error) {
	return cli.BackupReport{
		MadeAt: r.MadeAt, Program: r.Program, Engine: r.Engine, Schema: r.Schema, Rows: r.Rows,
		Bytes: r.Size, Took: r.Took, NoKey: r.NoKey, Replaced: r.Replaced,
	}, err
}

// Backup writes a backup; see cli.Parts.
func Backup(ctx context.Context, c *config.Config, file string, o cli.BackupOptions) (cli.BackupReport, error) {
	return reportOf(backup.Write(ctx, placeOf(c), file, optionsOf(o)))
}

// StreamBackup writes a backup to w; see cli.Parts.
func StreamBackup(ctx context.Context, c *config.Config, w io.Writer, o cli.BackupOptions) (cli.BackupReport, error) {
	return reportOf(backup.Stream(ctx, placeOf(c), w, optionsOf(o)))
}

// CheckBackup reads a backup; see cli.Parts.
func CheckBackup(ctx context.Context, in io.Reader, o cli.BackupOptions) (cli.BackupReport, error) {
	return reportOf(backup.Check(ctx, in, optionsOf(o)))
}

// Restore puts a backup back; see cli.Parts.
func Restore(ctx context.Context, c *config.Config, in io.Reader, o cli.BackupOptions) (cli.BackupReport, error) {
	return reportOf(backup.Restore(ctx, placeOf(c), in, optionsOf(o)))
}
