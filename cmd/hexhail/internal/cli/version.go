package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
)

type versionCmd struct{}

// Run is called by kong.
func (versionCmd) Run(in *call) error {
	_, err := fmt.Fprintf(in.env.Stdout, "hexhail %s\n", Version())
	return err
}

// version and commit are set by release builds that have no repository around them:
// -ldflags "-X github.com/hexhail/hexhail/cmd/hexhail/internal/cli.version=v1.2.3".
var version, commit string

// Version describes the program: its module version or commit, and the Go that made it.
func Version() string {
	b := build()
	revision := ""
	if b.Commit != "" && !strings.Contains(b.Version, b.Commit) {
		revision = " " + b.Commit
	}
	return fmt.Sprintf("%s%s %s %s/%s", b.Version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// build says what this program was made of. The commit is cut to 12 digits, and empty where it is
// unknown.
func build() ops.Build {
	b := ops.Build{Version: cmp.Or(version, "(devel)"), Commit: commit}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if version == "" && info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && b.Commit == "" {
			b.Commit = s.Value
		}
	}
	b.Commit = b.Commit[:min(12, len(b.Commit))]
	return b
}

// newOperations makes the operations listener of a server.
func newOperations(c *config.Config, log *slog.Logger) *ops.Server {
	return ops.New(ops.Options{Listen: c.Ops.Listen, AllowedHosts: c.Ops.AllowedHosts, Log: log, Build: build()})
}
