package harness

import (
	"context"
	"strings"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/cli"
)

// Command runs a command line and returns its exit code and what it printed.
func Command(ctx context.Context, args ...string) (int, string) {
	var out Buffer
	code := cli.Main(ctx, cli.Environment{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, LookupEnv: func(string) (string, bool) { return "", false },
	}, args)
	return code, out.String()
}
