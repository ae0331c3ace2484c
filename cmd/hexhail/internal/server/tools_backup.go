package server

import (
	"context"
	"io"
	"log/slog"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/backup"
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

// Backup writes a backup of the configured server's data, which may run, to a file.
func Backup(ctx context.Context, c *config.Config, file string, o backup.Options) (backup.Report, error) {
	return backup.Write(ctx, placeOf(c), file, o)
}

// StreamBackup writes a backup of the configured server's data to w.
func StreamBackup(ctx context.Context, c *config.Config, w io.Writer, o backup.Options) (backup.Report, error) {
	return backup.Stream(ctx, placeOf(c), w, o)
}

// Restore restores a backup to the configured server's data. The server must not be running.
func Restore(ctx context.Context, c *config.Config, in io.Reader, o backup.Options) (backup.Report, error) {
	return backup.Restore(ctx, placeOf(c), in, o)
}
