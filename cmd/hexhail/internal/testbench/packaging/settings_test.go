package packaging

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// A setting that nothing reads misleads its operator. The code that assembles the commands must
// read every field of the configuration.
func TestEverySettingIsReadSomewhere(t *testing.T) {
	read := make(map[string]bool)
	for _, pattern := range []string{"../../server/*.go", "../../cli/*.go", "../../config/config.go", "../../config/cluster.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				noteSelectors(t, file, read)
			}
		}
	}
	c := reflect.TypeFor[config.Config]()
	for i := range c.NumField() {
		f := c.Field(i)
		if f.Name == "File" { // read before the struct is filled
			continue
		}
		fields := []reflect.Type{f.Type}
		if f.Type.Kind() == reflect.Slice {
			require.True(t, read[f.Name], f.Name)
			fields = []reflect.Type{f.Type.Elem()}
		}
		if fields[0].PkgPath() != reflect.TypeFor[config.Config]().PkgPath() {
			continue // the domain reads ride.Tariff
		}
		for j := range fields[0].NumField() {
			name := fields[0].Field(j).Name
			assert.True(t, read[name], "nothing reads %s.%s", f.Name, name)
		}
	}
}

// noteSelectors records every name that follows a dot in a file.
func noteSelectors(t *testing.T, file string, read map[string]bool) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			read[s.Sel.Name] = true
		}
		return true
	})
}
