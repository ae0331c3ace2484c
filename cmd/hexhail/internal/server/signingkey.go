package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/transport/auth"
)

// keySetting is the name under which servers on one Postgres record the key that they sign with.
const keySetting = "signing key"

// settings is what servers on one database must agree on.
type settings interface {
	Agree(ctx context.Context, name, value string, accept func(recorded string) error) error
	Setting(ctx context.Context, name string) (string, error)
}

// signingKeys reads the keys that sign and check access tokens, or makes one at the first start.
func signingKeys(c *config.Config) (auth.Keys, error) {
	if err := os.MkdirAll(filepath.Dir(c.SigningKeyPath()), 0o700); err != nil {
		return auth.Keys{}, fmt.Errorf("directory of the signing key: %w", err)
	}
	return auth.LoadOrCreateKey(c.SigningKeyPath())
}

// sharedKeys is signingKeys for a server on Postgres: all servers on a database sign with one key,
// because each accepts the other's tokens. A server with another key is refused, unless its file also
// holds the recorded one, as while keys are changed: from then on its key is the recorded one. With
// replace any key is.
func sharedKeys(ctx context.Context, c *config.Config, s settings, replace bool) (auth.Keys, error) {
	path := c.SigningKeyPath()
	if _, err := auth.LoadKey(path); errors.Is(err, fs.ErrNotExist) && !replace {
		// A key made now would only be refused.
		recorded, err := s.Setting(ctx, keySetting)
		if err != nil {
			return auth.Keys{}, err
		}
		if recorded != "" {
			return auth.Keys{}, fmt.Errorf("the signing key %s is missing, but servers on this database sign with key %s: "+
				"copy that key here, or make a new one, which all access tokens end with: hexhail serve --make-missing", path, recorded)
		}
	}
	keys, err := signingKeys(c)
	if err != nil {
		return auth.Keys{}, err
	}
	return keys, s.Agree(ctx, keySetting, keys.ID(), func(recorded string) error {
		if replace || keys.Accepts(recorded) {
			return nil
		}
		return fmt.Errorf("%s signs with key %s, but servers on this database sign with key %s: "+
			"replace it by that key, add that key to the file to change keys, or, if it is lost, start with hexhail serve --make-missing, "+
			"which all access tokens end with", path, keys.ID(), recorded)
	})
}
