package floors

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// zones are things that exist once: only the folder may contain what the pattern matches. Tests and
// generated code are exempt.
var zones = []struct {
	name    string
	pattern *regexp.Regexp
	folder  string // empty: nowhere
}{
	{"the writer of problem details", regexp.MustCompile(`"[^"]*application/problem\+json`), "transport/problem"},
	{"the reader of bearer tokens", regexp.MustCompile(`EqualFold\([^)]*"Bearer"`), "transport"},
	{"the network of an address", regexp.MustCompile(`\.Prefix\(|\.Unmap\(\)`), "transport/clientaddr"},
	{"the defaults for zeros", regexp.MustCompile(`func (setDefault|def|orDefault)\[|\) withDefaults\(\)`), ""},
}

// strays returns what breaks the zones.
func strays(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var out []string
	for _, f := range scan(t, tree) {
		text, err := fs.ReadFile(tree, f.path)
		require.NoError(t, err)
		if f.test || strings.HasPrefix(string(text), "// Code generated") {
			continue
		}
		for _, z := range zones {
			if f.dir != z.folder && z.pattern.Match(text) {
				out = append(out, f.path+" has a second copy of "+z.name)
			}
		}
	}
	return out
}

func TestOneOfEach(t *testing.T) {
	tree := os.DirFS(root(t))
	require.Empty(t, strays(t, tree))
	for _, z := range zones {
		if z.folder == "" {
			continue
		}
		found := false
		for _, f := range scan(t, tree) {
			text, err := fs.ReadFile(tree, f.path)
			require.NoError(t, err)
			found = found || f.dir == z.folder && !f.test && z.pattern.Match(text)
		}
		require.True(t, found, "the pattern no longer finds %s in %s", z.name, z.folder)
	}
}

func TestZonesSeeCopies(t *testing.T) {
	stray := &fstest.MapFile{Data: []byte("package x\nconst t = \"application/problem+json\"\n")}
	require.Len(t, strays(t, fstest.MapFS{"transport/session/a.go": stray}), 1)
	require.Empty(t, strays(t, fstest.MapFS{"transport/problem/a.go": stray, "transport/api/a_test.go": stray}))
}
