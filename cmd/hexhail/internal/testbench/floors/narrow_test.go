package floors

import (
	"go/ast"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// widest bounds the methods that an interface declares directly. A wider one is really several
// interfaces: a fake has to implement contracts that its test does not need.
const widest = 12

// TestInterfacesAreNarrow holds every interface to the bound, except generated ones and those of
// packages for tests.
func TestInterfacesAreNarrow(t *testing.T) {
	seen := 0
	for _, f := range scan(t, os.DirFS(root(t))) {
		if strings.HasSuffix(f.path, ".pb.go") || isForTests(f.dir) { // a suite tests a whole store
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			i, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				return true
			}
			seen++
			methods := 0
			for _, m := range i.Methods.List {
				methods += len(m.Names) // embedded interfaces have no names
			}
			require.LessOrEqual(t, methods, widest, "%s: %s is too wide", f.at(spec), spec.Name)
			return true
		})
	}
	require.Greater(t, seen, 20, "the scan found almost nothing")
}
