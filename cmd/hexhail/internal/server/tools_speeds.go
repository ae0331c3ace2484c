package server

import (
	"context"
	"errors"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// ForgetSpeeds forgets the travel times that the servers on the configured database have learned. It may
// run beside them; they follow within a minute.
func ForgetSpeeds(ctx context.Context, c *config.Config) (err error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.ForgetSpeeds(ctx)
}
