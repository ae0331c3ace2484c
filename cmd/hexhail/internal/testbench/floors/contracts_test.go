package floors

import (
	"go/ast"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// contract finds a method's comment that names the interfaces it is for.
var contract = regexp.MustCompile(`^\w+ (?:implements|is part of) ((?:(?:, | and )?\[?[\w.]+\w\]?)+)`)

// broken lists the comments that name an interface of ours which does not exist or has no such
// method.
func broken(t *testing.T, tree fs.FS) []string {
	t.Helper()
	files := scan(t, tree)
	ours, interfaces := map[string]bool{}, map[string]*ast.InterfaceType{} // by package; by package and name
	for _, f := range files {
		ours[f.ast.Name.Name] = true
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if i, ok := spec.Type.(*ast.InterfaceType); ok {
					interfaces[f.ast.Name.Name+"."+spec.Name.Name] = i
				}
			}
			return true
		})
	}
	var out []string
	for _, f := range files {
		for _, d := range f.ast.Decls {
			method, ok := d.(*ast.FuncDecl)
			if !ok || method.Recv == nil {
				continue
			}
			for _, name := range named(method, f.ast.Name.Name) {
				pack, _, _ := strings.Cut(name, ".")
				if ours[pack] && !has(interfaces, name, method.Name.Name) {
					out = append(out, f.at(method)+": "+method.Name.Name+" is not a method of "+name)
				}
			}
		}
	}
	return out
}

// named returns the interfaces that a method's comment names, each with its package.
func named(method *ast.FuncDecl, pack string) []string {
	found := contract.FindStringSubmatch(method.Doc.Text())
	if found == nil {
		return nil
	}
	var out []string
	for _, name := range regexp.MustCompile(`, | and `).Split(found[1], -1) {
		name = strings.Trim(name, "[]")
		if !strings.Contains(name, ".") {
			name = pack + "." + name
		}
		if name != pack+".error" { // the language's own
			out = append(out, name)
		}
	}
	return out
}

// has reports whether an interface has a method, itself or by one that it embeds.
func has(interfaces map[string]*ast.InterfaceType, name, method string) bool {
	i := interfaces[name]
	if i == nil {
		return false
	}
	pack, _, _ := strings.Cut(name, ".")
	for _, m := range i.Methods.List {
		if embedded, ok := m.Type.(*ast.Ident); ok && has(interfaces, pack+"."+embedded.Name, method) {
			return true
		}
		for _, n := range m.Names {
			if n.Name == method {
				return true
			}
		}
	}
	return false
}

// TestContractsExist: a comment that says which interface a method implements is true.
func TestContractsExist(t *testing.T) {
	require.Empty(t, broken(t, os.DirFS(root(t))))
}

func TestContractsAreRead(t *testing.T) {
	tree := fstest.MapFS{
		"auth/store.go": {Data: []byte("package auth\ntype Store interface { Accounts }\ntype Accounts interface { Get() }\n")},
		"mem/mem.go": {Data: []byte(`package mem
type Store struct{}
// Get implements auth.Store and auth.Accounts.
func (Store) Get() {}
// Put implements auth.Accounts.
func (Store) Put() {}
// Gone implements [auth.Photos].
func (Store) Gone() {}
// Read implements io.Reader.
func (Store) Read() {}
`)},
	}
	require.Equal(t, []string{"mem/mem.go:6: Put is not a method of auth.Accounts", "mem/mem.go:8: Gone is not a method of auth.Photos"}, broken(t, tree))
}
