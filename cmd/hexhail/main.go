// Command hexhail is the Hexhail server and its tools. Try: hexhail serve.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(cli.Main(context.Background(), cli.Environment{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		LookupEnv: os.LookupEnv, Signals: signals,
		Hangups: func() (<-chan os.Signal, func()) {
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP)
			return hangups, func() { signal.Stop(hangups) }
		},
	}, os.Args[1:]))
}
