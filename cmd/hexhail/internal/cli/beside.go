package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
)

// beside runs a demonstration's server and something beside it, and stops the server when that is done.
// A signal ends what runs beside, a second one everything.
func (in *call) beside(c *config.Config, host *demo.Host, log *slog.Logger, run func(context.Context, *Server) error) error {
	operations := newOperations(c, log)
	server, err := in.parts.Assemble(in.ctx, Base{Config: c, Log: log, Ops: operations, Demo: host})
	if err != nil {
		return fmt.Errorf("assemble the server: %w", err)
	}
	if err := server.check(); err != nil {
		return err
	}
	services := append([]lifecycle.Service{{
		Name: "operations listener", Start: operations.Start, Stop: operations.Stop, Failed: operations.Failed(),
	}}, server.Services...)
	ctx, done := context.WithCancel(in.ctx)
	defer done()
	signals := make(chan os.Signal, 2)
	var beside error
	began, finished := false, make(chan struct{})
	err = lifecycle.Run(in.ctx, lifecycle.Options{
		Log: log, Grace: c.Shutdown.Grace, Signals: signals,
		Started: func(life context.Context) {
			operations.SetState(ops.Running)
			began = true
			stop := context.AfterFunc(life, done) // the server failed
			go func() {
				defer close(finished)
				defer stop()
				fmt.Fprintln(in.env.Stdout, "Hexhail is ready.")
				beside = run(ctx, server)
				signals <- os.Interrupt
			}()
			go func() {
				select {
				case <-in.env.Signals:
					done()
				case <-finished:
					return
				}
				select {
				case s := <-in.env.Signals:
					signals <- s
				case <-finished:
				}
			}()
		},
		Stopping: func() { operations.SetState(ops.Stopping) },
	}, services...)
	done()
	if errors.Is(err, lifecycle.ErrForced) || !began {
		return err // somebody who asks twice does not want to wait
	}
	<-finished
	return errors.Join(err, beside)
}
