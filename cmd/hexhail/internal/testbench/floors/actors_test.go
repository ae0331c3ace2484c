package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// actorFloors are the files of actors, lowest floor first. A file may use what is declared on its
// own floor and below. Each actor's files share a floor, because they are one type, and no actor's
// files use those of another: they share the messages below them.
var actorFloors = [][]string{
	{"doc.go", "message.go", "store.go", "history.go", "handover.go", "pace.go", "stats*.go", "placement.go", "workers.go"},
	{"frame*.go", "members.go"},
	{"config.go", "place*.go", "inbox.go", "nodes.go", "interest.go"},
	{"breadcrumbs.go"},
	{"shared.go"},
	{"command.go", "routes.go", "plan.go", "estimates.go"},
	{"search.go"},
	{"finder.go"},
	{"watcher.go"},
	{"person*.go"},
	{"rider*.go", "quote.go"},
	{"driver*.go"},
	{"operator*.go"},
	{"cell.go"},
	{"matcher*.go"},
	{"trip*.go"},
	{"system*.go", "join.go", "collect.go"},
}

// apart are the floors that each hold one actor's files.
var apart = []string{"finder.go", "watcher.go", "rider.go", "driver.go", "operator.go", "cell.go", "matcher.go", "trip.go"}

// floorOf returns the first floor that lists a file, or -1.
func floorOf(file string) int {
	return slices.IndexFunc(actorFloors, func(files []string) bool {
		return slices.ContainsFunc(files, func(pattern string) bool {
			ok, err := path.Match(pattern, file)
			return err == nil && ok
		})
	})
}

// upward returns the uses of names that are declared on a higher floor, or in another actor's
// files.
func upward(files map[string]*ast.File) []string {
	declared := map[string]string{}
	for name, f := range files {
		for _, d := range f.Decls {
			for _, id := range names(d) {
				declared[id] = name
			}
		}
	}
	var actors []int
	for _, file := range apart {
		actors = append(actors, floorOf(file))
	}
	var out []string
	for name, f := range files {
		keys := literalKeys(f)
		for _, id := range f.Unresolved {
			to, ok := declared[id.Name]
			if !ok || keys[id] {
				continue
			}
			from, at := floorOf(name), floorOf(to)
			if at > from || at != from && slices.Contains(actors, at) && slices.Contains(actors, from) {
				out = append(out, name+" uses "+id.Name+" of "+to)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// names returns the package-level names that a declaration declares; methods count with their
// types.
func names(d ast.Decl) (out []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			out = append(out, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				out = append(out, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					out = append(out, id.Name)
				}
			}
		}
	}
	return out
}

// literalKeys returns the field names in composite literals, which do not count as uses.
func literalKeys(f *ast.File) map[*ast.Ident]bool {
	out := map[*ast.Ident]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok {
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						out[id] = true
					}
				}
			}
		}
		return true
	})
	return out
}

func TestFilesOfActorsUseWhatIsBelow(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(root(t), "actors", "*.go"))
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, p := range found {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		require.NoError(t, err)
		name := filepath.Base(p)
		require.NotEqual(t, -1, floorOf(name), "%s has no floor", name)
		files[name] = f
	}
	require.Greater(t, len(files), 20)
	require.Empty(t, upward(files))
}

func TestActorFloorsSeeWhatTheyForbid(t *testing.T) {
	file := func(text string) *ast.File {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package actors\n"+text, 0)
		require.NoError(t, err)
		return f
	}
	for _, c := range []struct {
		file, text string
		ok         bool
	}{
		{"system.go", "var x tripActor", true},
		{"person.go", "var x tripActor", false},
		{"rider.go", "func f(s *System) {}", false},
		{"trip_effects.go", "var x tripActor", true},
		{"driver_offers.go", "func f() { newRider() }", false},
		{"trip_request.go", "func f() { newRider() }", false},
		{"person.go", "type t struct { tripActor int }; var x = t{tripActor: 1}", true},
		{"person.go", "func f() { tripActor := 1; _ = tripActor }", true},
	} {
		files := map[string]*ast.File{
			"trip.go": file("type tripActor struct{}"), "rider.go": file("func newRider() {}"), "join.go": file("type System struct{}"),
		}
		files[c.file] = file(c.text)
		require.Equal(t, c.ok, len(upward(files)) == 0, "%s: %s: %v", c.file, c.text, upward(files))
	}
}
