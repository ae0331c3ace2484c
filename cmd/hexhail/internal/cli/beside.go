package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
)

// runServer assembles a server and runs it until a signal ends it or it fails. started is called
// once clients reach it; its context ends when the server begins to stop.
func (in *call) runServer(
	base server.Base, signals <-chan os.Signal, started func(ctx context.Context, running *server.Server, operations *ops.Server),
) error {
	operations := newOperations(base.Config, base.Log)
	base.Ops = operations
	assembled, err := in.parts.assemble(in.ctx, base)
	if err != nil {
		return fmt.Errorf("assemble the server: %w", err)
	}
	services := append([]lifecycle.Service{{
		Name: "operations listener", Start: operations.Start, Stop: operations.Stop, Failed: operations.Failed(),
	}}, assembled.Services...)
	return lifecycle.Run(in.ctx, lifecycle.Options{
		Log: base.Log, Grace: base.Config.Shutdown.Grace, Signals: signals,
		Started: func(ctx context.Context) {
			operations.SetState(ops.Running)
			started(ctx, assembled, operations)
		},
		Stopping: func() { operations.SetState(ops.Stopping) },
	}, services...)
}

// beside runs a server and something beside it, and stops the server when that is done.
// A signal ends what runs beside, a second one everything.
func (in *call) beside(base server.Base, run func(context.Context, *server.Server) error) error {
	ctx, done := context.WithCancel(in.ctx)
	defer done()
	signals := make(chan os.Signal, 2)
	var beside error
	began, finished := false, make(chan struct{})
	err := in.runServer(base, signals, func(life context.Context, running *server.Server, _ *ops.Server) {
		began = true
		stop := context.AfterFunc(life, done) // the server failed
		go func() {
			defer close(finished)
			defer stop()
			fmt.Fprintln(in.env.Stdout, "Hexhail is ready.")
			beside = run(ctx, running)
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
	})
	done()
	if errors.Is(err, lifecycle.ErrForced) || !began {
		return err // a second signal means: do not wait
	}
	<-finished
	return errors.Join(err, beside)
}
