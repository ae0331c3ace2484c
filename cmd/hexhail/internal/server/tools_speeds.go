package server

import (
	"context"
	"errors"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// ForgetSpeeds forgets the travel times that the servers on the configured database have learned. It may
// run beside them; they follow within a minute. The error wraps persistence.ErrNoDatabase if there is no database.
func ForgetSpeeds(ctx context.Context, c *config.Config) (err error) {
	store, err := openBeside(ctx, c, refuseEmpty(c))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.ForgetSpeeds(ctx)
}
