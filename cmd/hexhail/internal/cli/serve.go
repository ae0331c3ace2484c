package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/logging"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
)

type serveCmd struct {
	config.Config `embed:""`

	Trial bool `help:"For trying Hexhail out at a desk: drivers who sign up may drive at once, and their app offers a simulated drive. The apps say so. Not for real rides."`

	MakeMissing bool `help:"Create the missing part of an earlier server's data: an empty database beside its signing key, or a new key beside its database. On Postgres it also replaces the signing key that servers on the database have used. Without this flag the server does not start then."`
}

// Run is called by kong. It returns when the server has ended.
func (s *serveCmd) Run(in *call) error {
	if err := in.source.Complete(&s.Config); err != nil {
		return err
	}
	if s.Trial && in.source.Origin("driver-approval") == config.FromDefault {
		s.Auth.DriverApproval = false
	}
	log, err := logging.New(in.env.Stderr, s.Log.Format, s.Log.Level)
	if err != nil {
		return err
	}
	log.Info("starting", "version", Version(), "dir", s.Store.DataDir, "postgres", s.Store.DatabaseURL != "")
	base := server.Base{Config: &s.Config, Log: log, Trial: s.Trial, MakeMissing: s.MakeMissing, Version: Version(), Exit: in.env.Exit}
	var hangups <-chan os.Signal
	if s.Map.Streets != "" && in.env.Hangups != nil {
		var stop func()
		hangups, stop = in.env.Hangups()
		defer stop()
	}
	var reloads sync.WaitGroup
	defer reloads.Wait()
	err = in.runServer(base, in.env.Signals, func(ctx context.Context, running *server.Server, operations *ops.Server) {
		reloads.Go(func() { reloadStreets(ctx, hangups, running) })
		greet(ctx, in.env.Stdout, log, running, operations)
		s.warnOfTrial(in.env.Stdout, log)
	})
	if err == nil {
		log.Info("ended in order")
	}
	return err
}

// reloadStreets loads the map again at each signal. The server's log says what became of it.
func reloadStreets(ctx context.Context, hangups <-chan os.Signal, running *server.Server) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_, _ = running.ReloadStreets(ctx)
		}
	}
}

// warnOfTrial says at every start what a trial lets strangers do.
func (s *serveCmd) warnOfTrial(w io.Writer, log *slog.Logger) {
	if !s.Trial {
		return
	}
	const text = "This is a trial: anyone who signs up as a driver may drive at once, and can simulate the drive. Start without --trial for real rides."
	log.Warn(text)
	if _, err := fmt.Fprintln(w, "\n"+text); err != nil {
		log.Warn("cannot print to the standard output", "error", err)
	}
}

// greet prints where the server is, and at first run what to do next, in one write.
func greet(ctx context.Context, w io.Writer, log *slog.Logger, running *server.Server, operations *ops.Server) {
	var b strings.Builder
	b.WriteString("Hexhail is ready.\n")
	for _, a := range append(running.Addresses(), server.Address{What: "operations", URL: "http://" + operations.Addr().String()}) {
		fmt.Fprintf(&b, "  %-11s %s\n", a.What, a.URL)
		log.Info("listening", "what", a.What, "url", a.URL)
	}
	switch has, err := running.HasOperator(ctx); {
	case err != nil:
		log.Warn("cannot tell whether an operator exists", "error", err)
	case !has:
		b.WriteString("\nThere is no operator yet. Create one, with the same configuration as this server:\n" +
			"  hexhail admin create NAME      (or: go run ./cmd/hexhail admin create NAME)\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		log.Warn("cannot print the addresses", "error", err)
	}
}
