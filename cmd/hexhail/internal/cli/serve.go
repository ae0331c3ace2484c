package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/logging"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
)

type serveCmd struct {
	config.Config `embed:""`
}

// Run is called by kong. It returns when the server has ended.
func (s *serveCmd) Run(in *call) error {
	if err := in.source.Complete(&s.Config); err != nil {
		return err
	}
	log, err := logging.New(in.env.Stderr, s.Log.Format, s.Log.Level)
	if err != nil {
		return err
	}
	operations := ops.New(ops.Options{Listen: s.Ops.Listen, AllowedHosts: s.Ops.AllowedHosts, Log: log})
	server, err := in.parts.Assemble(in.ctx, Base{Config: &s.Config, Log: log, Ops: operations})
	if err != nil {
		return fmt.Errorf("assemble the server: %w", err)
	}
	if err := server.check(); err != nil {
		return err
	}
	services := append([]lifecycle.Service{{
		Name: "operations listener", Start: operations.Start, Stop: operations.Stop, Failed: operations.Failed(),
	}}, server.Services...)
	log.Info("starting", "version", Version(), "dir", s.Store.DataDir, "postgres", s.Store.DatabaseURL != "")
	err = lifecycle.Run(in.ctx, lifecycle.Options{
		Log: log, Grace: s.Shutdown.Grace, Signals: in.env.Signals,
		Started: func(ctx context.Context) {
			operations.SetState(ops.Running)
			greet(ctx, in.env.Stdout, log, server, operations)
		},
		Stopping: func() { operations.SetState(ops.Stopping) },
	}, services...)
	if err == nil {
		log.Info("ended in order")
	}
	return err
}

// greet prints where the server is, and at first run what to do next, in one write.
func greet(ctx context.Context, w io.Writer, log *slog.Logger, server *Server, operations *ops.Server) {
	var b strings.Builder
	b.WriteString("Hexhail is ready.\n")
	for _, a := range append(server.Addresses(), Address{"operations", "http://" + operations.Addr().String()}) {
		fmt.Fprintf(&b, "  %-11s %s\n", a.What, a.URL)
		log.Info("listening", "what", a.What, "url", a.URL)
	}
	switch has, err := server.HasOperator(ctx); {
	case err != nil:
		log.Warn("cannot tell whether an operator exists", "error", err)
	case !has:
		b.WriteString("\nThere is no operator yet. Make one, with the same configuration as this server:\n" +
			"  hexhail admin create NAME      (or: go run ./cmd/hexhail admin create NAME)\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		log.Warn("cannot print the addresses", "error", err)
	}
}
