package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/transport/auth"
)

// admitOld refuses to start a new server where parts of another one are left: a key, or files that
// belong to a database, without the database. Otherwise the server would start with an empty city,
// and its people would be the first to notice.
func admitOld(c *config.Config) func(persistence.Found) error {
	return func(f persistence.Found) error {
		if f.Schema > 0 {
			return nil
		}
		remains := ""
		if len(f.Remains) > 0 {
			remains = f.Remains[0]
		}
		key := c.SigningKeyPath()
		// A key elsewhere may have been made for this server before its first start.
		if filepath.Dir(key) == filepath.Clean(c.Store.DataDir) && exists(key) {
			remains = key
		}
		switch {
		case remains == "":
			return nil
		case c.Store.DatabaseURL != "":
			return fmt.Errorf("the Postgres database is empty, but %s is left from a server that ran here before: "+
				"check database-url, restore a backup with hexhail restore FILE, or start with an empty database: hexhail serve --make-missing", remains)
		}
		return fmt.Errorf("the database %s is missing or empty, but %s is left from a server that ran here before: "+
			"restore a backup with hexhail restore FILE, or start with an empty database: hexhail serve --make-missing", c.DatabasePath(), remains)
	}
}

// admitServer also refuses a database in use if the key is missing.
func admitServer(c *config.Config) func(persistence.Found) error {
	old := admitOld(c)
	return func(f persistence.Found) error {
		if f.InUse && !exists(c.SigningKeyPath()) {
			return fmt.Errorf("the signing key %s is missing, but the database is in use: put the key back (each backup holds it), "+
				"or make a new one, which ends all sessions: hexhail serve --make-missing", c.SigningKeyPath())
		}
		return old(f)
	}
}

// checkKey reads the key before anything is opened: a server that cannot use it must not start.
func checkKey(c *config.Config) error {
	_, err := auth.LoadKey(c.SigningKeyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// admitted checks the database for a command that does not open a store.
func admitted(ctx context.Context, c *config.Config, o persistence.Options) error {
	f, err := persistence.Look(ctx, o)
	if err != nil {
		return err
	}
	return admitOld(c)(f)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
