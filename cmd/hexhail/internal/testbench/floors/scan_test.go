package floors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/hexhail/hexhail"

// source is one Go file of the module.
type source struct {
	path    string // slash-separated, from the module's root
	dir     string
	test    bool
	ast     *ast.File
	imports []string // this module's with "./" in place of the module's path
	fset    *token.FileSet
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

// root finds the module's root above this package.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, dir, up, "no go.mod above this test")
		dir = up
	}
}

// scan reads every Go file of the tree, regardless of build tags.
func scan(t *testing.T, tree fs.FS) []source {
	t.Helper()
	var out []source
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && ignored(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go"):
			return nil
		}
		text, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		s, err := parse(p, text)
		if err == nil {
			out = append(out, s)
		}
		return err
	})
	require.NoError(t, err)
	return out
}

// ignored folders have no Go code of this module.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"
}

func parse(p string, text []byte) (source, error) {
	s := source{path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), fset: token.NewFileSet()}
	f, err := parser.ParseFile(s.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return s, err
	}
	s.ast = f
	for _, i := range f.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return s, err
		}
		if rest, ok := strings.CutPrefix(name, module+"/"); ok {
			name = "./" + rest
		}
		s.imports = append(s.imports, name)
	}
	return s, nil
}

// within reports whether a folder is dir or lies under it.
func within(folder, dir string) bool { return folder == dir || strings.HasPrefix(folder, dir+"/") }

func withinAny(folder string, dirs []string) bool {
	for _, d := range dirs {
		if within(folder, d) {
			return true
		}
	}
	return false
}
