package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/nodetls"
)

func TestClusterCerts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	path := func(name string) string { return filepath.Join(dir, name) }
	run := func(code int, args ...string) string {
		s := newStage()
		require.Equal(t, code, s.run(t, append([]string{"cluster", "certs"}, args...)...), s.err.String())
		return strings.ReplaceAll(s.out.String()+s.err.String(), dir, "DIR")
	}

	require.Regexp(t, `^hexhail: .*DIR/ca.pem: no such file or directory; make the CA first: hexhail cluster certs init\n$`,
		run(exitFailed, "node", "a.example.org", "--dir", dir))

	require.Regexp(t, `^The cluster's CA was made. It is valid until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ.
  DIR/ca.pem: every node needs it.
  DIR/ca.key: no node needs it. Its holder can make nodes: keep it where only you can read it.
For each node, with the names and addresses at which the others reach it: hexhail cluster certs node NAME...
$`, run(exitOK, "init", "--dir", dir, "--permit=example.org,127.0.0.0/8"))
	before, err := os.ReadFile(path("ca.key"))
	require.NoError(t, err)
	require.Equal(t, "hexhail: DIR/ca.key: file already exists\n", run(exitFailed, "init", "--dir", dir))
	after, err := os.ReadFile(path("ca.key"))
	require.NoError(t, err)
	require.Equal(t, before, after)

	require.Regexp(t, `^The certificate for a.example.org, 127.0.0.1 was made. It is valid until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ.
  DIR/a.example.org.pem
  DIR/a.example.org.key: only the node's account may read it.
$`, run(exitOK, "node", "a.example.org", "127.0.0.1", "--dir", dir))
	require.Equal(t, "hexhail: DIR/a.example.org.key: file already exists; --force replaces it\n",
		run(exitFailed, "node", "a.example.org", "--dir", dir))
	run(exitOK, "node", "a.example.org", "127.0.0.1", "--dir", dir, "--valid=90d", "--force")
	require.Contains(t, run(exitFailed, "node", "a.example.org:8090", "--dir", dir), "neither a DNS name nor an IP address")
	require.Contains(t, run(exitFailed, "node", "10.0.0.1", "--dir", dir), "the CA may not vouch for this node")

	shown := run(exitOK, "show", path("a.example.org.pem"))
	require.Contains(t, shown, "a.example.org, 127.0.0.1\n")
	require.Regexp(t, `Valid until +\S+, (89|90) days left\n`, shown)
	require.Regexp(t, `Vouches for +example.org, 127.0.0.0/8\n`, run(exitOK, "show", path("ca.pem")))
	require.Contains(t, run(exitFailed, "show", path("ca.key")), "has no certificate in PEM")
	require.Contains(t, run(exitFailed, "show", path("none.pem")), "no such file")

	_, err = nodetls.New(nodetls.Options{
		Files:     nodetls.Files{Certificate: path("a.example.org.pem"), Key: path("a.example.org.key"), CA: path("ca.pem")},
		Advertise: "a.example.org:8090",
	})
	require.NoError(t, err)
}

func TestClusterCertsUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"years, days or hours":     {"init", "--valid=soon"},
		`such as 1y, 90d or 12h`:   {"node", "a", "--valid=1.5y"},
		"expected \"<name> ...\"":  {"node"},
		"expected \"<file>\"":      {"show"},
		"expected one of":          {},
		"unknown flag --overwrite": {"init", "--overwrite"},
	} {
		s := newStage()
		require.Equal(t, exitUsage, s.run(t, append([]string{"cluster", "certs"}, args...)...), args)
		require.Contains(t, s.err.String(), want)
	}
	dir := t.TempDir()
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "cluster", "certs", "init", "--dir", dir, "--permit=*.example.org"))
	require.Contains(t, s.err.String(), `--permit: "*.example.org" is neither a domain nor a network`)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
