package floors

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var sayingDefault = regexp.MustCompile(`(?i)\bby default\b|\bdefaults? (is )?\d|\bdefault:`)

// TestDefaultsAreWrittenOnce: a comment on a configuration field does not repeat the default,
// because it would drift from DefaultConfig.
func TestDefaultsAreWrittenOnce(t *testing.T) {
	seen := 0
	for _, f := range scan(t, os.DirFS(root(t))) {
		if f.test || !within(f.dir, "transport") && !within(f.dir, "actors") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !strings.HasSuffix(spec.Name.Name, "Config") {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			seen++
			for _, field := range fields.Fields.List {
				require.NotRegexp(t, sayingDefault, field.Doc.Text(), "%s of %s", f.at(field), spec.Name)
			}
			return true
		})
	}
	require.Greater(t, seen, 5, "the scan found almost nothing")
}
