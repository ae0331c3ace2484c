package cli

import (
	"fmt"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

type streetsForgetCmd struct {
	config.Config `embed:""`
}

// Run is called by kong.
func (f *streetsForgetCmd) Run(in *call) error {
	if err := in.source.CompleteBeside(&f.Config); err != nil {
		return err
	}
	if err := in.parts.forgetSpeeds(in.ctx, &f.Config); err != nil {
		return fmt.Errorf("forget travel times: %w", err)
	}
	fmt.Fprintln(in.env.Stdout, "All that rides had taught about travel times is forgotten; running servers follow within a minute.")
	return nil
}
