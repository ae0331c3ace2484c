package floors

import (
	"go/ast"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// words are identifiers that stood for several things, or for what has a usual term. in are the
// folders where a word has its one meaning. CONTRIBUTING lists the words to use.
var words = []struct {
	word, instead string
	in            []string
}{
	{"peer", "inbox for a session's way to an actor, rider or driver for a party",
		[]string{"transport/ws", "transport/conns", "transport/clientaddr", "cmd/hexhail/internal/server", "actors/cluster/link"}},
	{"born", "created or started", nil},
	{"birth", "startedAt or createdAt", nil},
	{"bear", "start or create", nil},
	{"warm", "fill or pool", nil},
	{"cool", "expire or shrink", nil},
	{"nobody", "none, or what is missing", nil},
	{"anybody", "any, or who it is", nil},
	{"somebody", "one, or who it is", nil},
	{"driverFee", "the term of the fare", nil},
}

// misused lists the identifiers that break words.
func misused(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var out []string
	for _, f := range scan(t, tree) {
		if strings.HasSuffix(f.path, ".pb.go") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			for _, w := range words {
				exported := strings.ToUpper(w.word[:1]) + w.word[1:]
				if (id.Name == w.word || id.Name == exported) && !withinAny(f.dir, w.in) {
					out = append(out, f.at(id)+": "+id.Name+": say "+w.instead)
				}
			}
			return true
		})
	}
	return out
}

// TestWords: an identifier has one meaning, and the usual term if there is one.
func TestWords(t *testing.T) { require.Empty(t, misused(t, os.DirFS(root(t)))) }

func TestWordsAreSeen(t *testing.T) {
	text := &fstest.MapFile{Data: []byte("package x\ntype Peer struct{ birth int }\n")}
	require.Len(t, misused(t, fstest.MapFS{"actors/a.go": text}), 2)
	require.Equal(t, []string{"transport/ws/a.go:2: birth: say startedAt or createdAt"}, misused(t, fstest.MapFS{"transport/ws/a.go": text}))
}
