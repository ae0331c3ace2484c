package floors

import (
	"go/ast"
	"os"
	"path"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// pure are the packages without side effects: the domain, its dispatch for zones, and the judge of a cluster's members.
var pure = []string{"ride", "ride/dispatch", "actors/cluster/membership"}

// pureImports is what they may use from the standard library: nothing with a clock,
// goroutines, files, sockets, randomness or logging.
var pureImports = []string{
	"bytes", "cmp", "crypto/sha256", "encoding/hex", "encoding/json", "errors", "fmt", "hash/fnv", "iter", "maps", "math",
	"math/bits", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8", "./geo", "./ride",
}

// impureCalls are the impure functions of allowed packages.
var impureCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation", "Local"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// impurities returns what makes a file impure.
func impurities(f source) []string {
	var out []string
	for _, imp := range f.imports {
		if !slices.Contains(pureImports, imp) {
			out = append(out, f.path+" imports "+imp)
		}
	}
	for _, spec := range f.ast.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			out = append(out, f.at(spec)+" hides where names come from")
		}
	}
	names := localNames(f)
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			out = append(out, f.at(n)+" starts a goroutine")
		case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
			out = append(out, f.at(n)+" uses a channel")
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				out = append(out, f.at(n)+" prints")
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && slices.Contains(impureCalls[names[id.Name]], n.Sel.Name) {
				out = append(out, f.at(n)+" uses "+id.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return out
}

// localNames maps the names of a file's imports to their paths.
func localNames(f source) map[string]string {
	out := make(map[string]string, len(f.imports))
	for i, spec := range f.ast.Imports {
		name := path.Base(f.imports[i])
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out[name] = f.imports[i]
	}
	return out
}

func TestTheDomainIsPure(t *testing.T) {
	seen := map[string]int{}
	for _, f := range scan(t, os.DirFS(root(t))) {
		if !slices.Contains(pure, f.dir) || f.test {
			continue
		}
		seen[f.dir]++
		require.Empty(t, impurities(f))
	}
	require.Len(t, seen, len(pure))
}

func TestPurityRulesSeeWhatTheyForbid(t *testing.T) {
	for body, ok := range map[string]bool{
		`import "time"; var x = time.Second`:                   true,
		`import "time"; var x = time.Now()`:                    false,
		`import "time"; var x = time.Now`:                      false,
		`import "time"; func f() { time.Sleep(1) }`:            false,
		`func f() { go f() }`:                                  false,
		`var c chan int`:                                       false,
		`func f() { println() }`:                               false,
		`import "fmt"; func f() { fmt.Println() }`:             false,
		`import "fmt"; var x = fmt.Sprint()`:                   true,
		`import _ "log"`:                                       false,
		`import _ "os"`:                                        false,
		`import _ "github.com/google/uuid"`:                    false,
		`import _ "github.com/hexhail/hexhail/geo"`:            true,
		`import _ "github.com/hexhail/hexhail/ride/ridepb"`:    false,
		`import clock "time"; var x = clock.Second`:            true,
		`import clock "time"; var x = clock.Now()`:             false,
		`import . "time"; var x = Second`:                      false,
		`import "math/rand/v2"; var x = rand.Int()`:            false,
		`import "context"; func f(context.Context) {}`:         false,
		`import "sync"; var x sync.Mutex`:                      false,
		`type T struct{}; func (T) Now() {}; var x = T.Now`:    true,
		`import "encoding/json"; var _, err = json.Marshal(1)`: true,
	} {
		files := scan(t, fstest.MapFS{"ride/a.go": {Data: []byte("package ride\n" + body + "\n")}})
		require.Equal(t, ok, len(impurities(files[0])) == 0, body)
	}
}
