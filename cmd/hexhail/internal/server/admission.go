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

// admitOld refuses to take for a new server what is left of another one: a key, or files that
// belong to a database, without the database. Going on would mean an empty city and
// find out from its people.
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
			return fmt.Errorf("the Postgres database is empty, but %s is left of a server that ran here before: "+
				"check database-url, restore a backup with hexhail restore FILE, or begin with an empty database: hexhail serve --make-missing", remains)
		}
		return fmt.Errorf("the database %s is missing or empty, but %s is left of a server that ran here before: "+
			"restore a backup with hexhail restore FILE, or begin with an empty database: hexhail serve --make-missing", c.DatabasePath(), remains)
	}
}

// admitServer also refuses a database that people use when the key is missing.
func admitServer(c *config.Config) func(persistence.Found) error {
	old := admitOld(c)
	return func(f persistence.Found) error {
		if f.InUse && !exists(c.SigningKeyPath()) {
			return fmt.Errorf("the signing key %s is missing, but people use the database: put the key back (each backup holds it), "+
				"or have another one made, which ends everybody's open sessions: hexhail serve --make-missing", c.SigningKeyPath())
		}
		return old(f)
	}
}

// checkKey reads the key before anything is opened: a server that cannot use it must not begin.
func checkKey(c *config.Config) error {
	_, err := auth.LoadKey(c.SigningKeyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// admitted looks at the database for a command that does not open a store.
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
