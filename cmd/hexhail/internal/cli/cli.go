// Package cli is the command line of Hexhail: it reads arguments and configuration and carries
// commands out with the rooms beside it, server above all.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
)

// Environment is what a command has of the world. Commands use nothing else of the
// process, so tests run them whole.
type Environment struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	// Signals ask a running server to end.
	Signals <-chan os.Signal
	// Hangups returns the signals that let a running server load its map again, until stop is called; nil:
	// there are none. Before, and after, they end the process.
	Hangups func() (hangups <-chan os.Signal, stop func())
	// Exit ends the process of a node that can no longer take part in its cluster; nil: os.Exit.
	Exit func(code int)
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line cannot be read
	exitForced = 3 // a second signal cut the shutdown short
)

// grammar is the command line.
type grammar struct {
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Demo        demoCmd        `cmd:"" help:"Run a server and a simulated city that uses it, with nothing to configure."`
	Sim         simCmd         `cmd:"" help:"Let a simulated city use running servers, or check its recordings."`
	Migrate     migrateCmd     `cmd:"" help:"Show or change the database schema. serve brings it up to date automatically."`
	Admin       adminCmd       `cmd:"" help:"Create, list and disable operators, approve drivers, reset passwords."`
	Backup      backupCmd      `cmd:"" help:"Back up everything that a server needs into one file. The server may be running."`
	Restore     restoreCmd     `cmd:"" help:"Restore a backup, with the server stopped."`
	Export      exportCmd      `cmd:"" help:"Write trips as CSV or JSON lines. The server may be running."`
	Streets     streetsCmd     `cmd:"" help:"Build a city's map from an OpenStreetMap extract, show what it holds, and let a server load it again."`
	Eval        evalCmd        `cmd:"" help:"Judge dispatch: replay recorded demand on a virtual clock, and compare policies."`
	Cluster     clusterCmd     `cmd:"" help:"Show a cluster, and make the certificates for the connections between its nodes."`
	Config      configCmd      `cmd:"" help:"Check or show the configuration."`
	Healthcheck healthcheckCmd `cmd:"" help:"Query the running server's /readyz; exit with 0 when it is ready."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// call is one command line's execution: what the commands' Run methods get.
type call struct {
	ctx    context.Context // a call lives exactly as long as its context
	env    Environment
	source *config.Source
	parts  parts
}

// exit carries kong's wish to end the process (after --help) out of its parser.
type exit int

// Main runs one command line, without the program's name, and returns the exit code.
// It returns when the command is done or ctx ends.
func Main(ctx context.Context, env Environment, args []string) (code int) {
	return run(ctx, env, product, args)
}

func run(ctx context.Context, env Environment, with parts, args []string) (code int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exit:
			code = int(p)
		default:
			panic(p)
		}
	}()
	source := config.NewSource(env.LookupEnv)
	parser, err := kong.New(&grammar{}, append(source.Options(),
		kong.Name("hexhail"),
		kong.Description("Real-time matching of riders and drivers. Try: hexhail demo"),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
	)...)
	if err != nil {
		fmt.Fprintln(env.Stderr, "hexhail:", err)
		return exitFailed
	}
	k, err := parser.Parse(args)
	if err != nil {
		return usage(env, err)
	}
	return report(env, k.Run(&call{ctx: ctx, env: env, source: source, parts: with}))
}

func usage(env Environment, err error) int {
	fmt.Fprintf(env.Stderr, "hexhail: %s\n", err)
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		if path := pe.Context.Command(); path != "" {
			fmt.Fprintf(env.Stderr, "Try: hexhail %s --help\n", path)
			return exitUsage
		}
	}
	fmt.Fprintln(env.Stderr, "Try: hexhail --help")
	return exitUsage
}

// report prints an error and chooses the exit code.
func report(env Environment, err error) int {
	if err == nil {
		return exitOK
	}
	var ps config.Problems
	if errors.As(err, &ps) {
		fmt.Fprintf(env.Stderr, "hexhail: the configuration has %s:\n", count(len(ps), "problem"))
		for _, p := range ps {
			fmt.Fprintln(env.Stderr, "  -", p.Error())
		}
		return exitFailed
	}
	fmt.Fprintf(env.Stderr, "hexhail: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	if errors.Is(err, lifecycle.ErrForced) {
		return exitForced
	}
	return exitFailed
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
