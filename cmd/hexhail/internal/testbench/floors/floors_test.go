package floors

import (
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// folders are the top-level folders, as the design lists them. A new one needs a decision record,
// and then a line here.
var folders = []string{"actors", "cmd", "deploy", "docs", "geo", "persistence", "ride", "sim", "transport", "web"}

// products are created by building and running, and kept out of the repository.
var products = []string{"bin", "hexhail-data", "hexhail-certs"}

// floors says which of Hexhail's packages each folder may import: the first matching line counts. A
// folder may always import what lies within its line's folder.
var floors = []struct {
	folder string
	may    []string
}{
	{"geo/streets/ch", nil},
	{"geo/streets/mvt", nil},
	{"geo/streets/names", []string{"geo"}},
	{"geo/streets/pbf", nil},
	{"geo", nil}, // but see the rule on geo itself below
	{"ride/ridepb", nil},
	{"ride/view", []string{"ride", "ride/ridepb", "geo"}},
	{"ride/dispatch", []string{"ride", "geo"}},
	{"ride", []string{"geo"}}, // but see the rule on ride itself below
	{"actors/runtime", nil},
	{"actors/nodepb", []string{"ride/ridepb"}},
	{"actors/cluster/membership", nil},
	{"actors/cluster/registry", []string{"actors/cluster/membership"}},
	{"actors/city", []string{"actors/runtime", "actors/nodepb", "ride", "geo"}},
	{"actors", []string{"ride", "geo"}},
	{"transport", []string{"ride", "geo"}},
	{"persistence", []string{"ride", "geo"}},
	{"sim/eval", []string{"ride", "geo", "sim/demand"}},
	{"sim", []string{"ride/ridepb", "geo"}},
	{"web", nil},
	{"deploy", nil},
	{"docs", nil},
	{"cmd", []string{"actors", "geo", "persistence", "ride", "sim", "transport", "web"}},
}

// keepers are the only folders that may use a library; other folders' tests may only if anyTest
// says so, because they act as raw clients.
var keepers = []struct {
	library string
	folders []string
	anyTest bool
}{
	{"github.com/uber/h3-go", []string{"geo"}, false},
	{"github.com/asynkron/protoactor-go", []string{"actors"}, false},
	{"github.com/asynkron/protoactor-go/cluster", []string{"actors/cluster"}, false},
	{"github.com/asynkron/protoactor-go/remote", []string{"actors/cluster"}, false},
	{"go.etcd.io", []string{"actors/cluster/registry"}, false},
	{"google.golang.org/grpc", []string{"actors/cluster"}, false},
	{"github.com/gobwas", []string{"transport/ws", "sim/client"}, true},
	{"github.com/anishathalye/porcupine", []string{"sim/check"}, true},
	{"github.com/danielgtaylor/huma", []string{"transport/api"}, false},
	{"github.com/golang-jwt", []string{"transport/auth", "transport/api", "cmd"}, false},
	{"github.com/MicahParks", []string{"transport/auth"}, false},
	{"github.com/alexedwards/argon2id", []string{"transport/auth"}, false},
	{"github.com/jackc/pgx", []string{"persistence", "cmd"}, false},
	{"modernc.org/sqlite", []string{"persistence", "cmd"}, false},
	{"github.com/pressly/goose", []string{"persistence"}, false},
	{"github.com/alecthomas/kong", []string{"cmd"}, false},
}

// barred folders may not use a library, although they lie within one of its keepers.
var barred = []struct{ folder, library, why string }{
	{"actors/city", "github.com/asynkron/protoactor-go", "actors write the picture and anyone reads it, without messages"},
	{"actors/cluster/membership", "github.com/asynkron/protoactor-go", "a judge of values has no actors"},
	{"actors/cluster/registry", "github.com/asynkron/protoactor-go", "the registry knows etcd alone"},
}

// frugal folders use no library but the standard one and these: what others build on brings nothing
// along.
var frugal = []struct {
	folder    string
	libraries []string
}{
	{"geo/streets", []string{"google.golang.org/protobuf/encoding/protowire", "golang.org/x/text/unicode/norm"}},
}

// forTests may be imported by test files, and by packages that exist for tests.
var forTests = []string{
	"testing", "testing/synctest", "testing/fstest", "net/http/httptest",
	"github.com/stretchr/testify", "github.com/google/go-cmp", "pgregory.net/rapid",
	"github.com/cockroachdb/datadriven", "go.uber.org/goleak",
	"github.com/coder/websocket",
}

// heavy packages must not be in the build, not even indirectly: they add minutes of compilation, or,
// like protoactor's own providers, lose members for ever.
var heavy = []string{
	"k8s.io", "github.com/hashicorp/consul", "github.com/go-zookeeper",
	"github.com/asynkron/protoactor-go/cluster/clusterproviders", "github.com/asynkron/protoactor-go/cluster/identitylookup",
}

// isForTests reports whether a folder is a package that only tests import.
func isForTests(folder string) bool {
	base := path.Base(folder)
	return strings.HasSuffix(base, "test") || base == "memstore" || within(folder, "cmd/hexhail/internal/testbench")
}

// violations returns the imports that break the rules.
func violations(files []source) []string {
	var out []string
	for _, f := range files {
		for _, imp := range f.imports {
			if why := forbidden(f, imp); why != "" {
				out = append(out, f.path+" imports "+imp+": "+why)
			}
		}
	}
	return out
}

func forbidden(f source, imp string) string {
	if own, ok := strings.CutPrefix(imp, "./"); ok {
		if !f.test && isForTests(own) && !isForTests(f.dir) {
			return "it is for tests only"
		}
		return wrongFloor(f, own)
	}
	for _, k := range keepers {
		if within(imp, k.library) && !withinAny(f.dir, k.folders) && !(k.anyTest && f.test) {
			return "only " + strings.Join(k.folders, ", ") + " may"
		}
	}
	for _, b := range barred {
		if within(f.dir, b.folder) && within(imp, b.library) {
			return b.why
		}
	}
	if !f.test && !isForTests(f.dir) && withinAny(imp, forTests) {
		return "it is for tests only"
	}
	for _, r := range frugal {
		first, _, _ := strings.Cut(imp, "/")
		if within(f.dir, r.folder) && !f.test && strings.Contains(first, ".") && !slices.Contains(r.libraries, imp) {
			return r.folder + " uses no library but " + strings.Join(r.libraries, ", ")
		}
	}
	return ""
}

func wrongFloor(f source, own string) string {
	if f.dir == "ride" && !within(own, "geo") && own != "ride" {
		return "the domain stands on geo alone"
	}
	if f.dir == "geo" && own != "geo" && !f.test {
		return "geography knows nothing of streets"
	}
	for _, fl := range floors {
		if !within(f.dir, fl.folder) {
			continue
		}
		if within(own, fl.folder) || withinAny(own, fl.may) {
			return ""
		}
		return fl.folder + " may only import what lies below it: " + strings.Join(fl.may, ", ")
	}
	return "its folder has no floor"
}

func TestImportsOnlyGoDown(t *testing.T) {
	files := scan(t, os.DirFS(root(t)))
	require.Greater(t, len(files), 20, "the scan found almost nothing")
	require.Empty(t, violations(files))
}

func TestNoFolderWithoutADecision(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(products, e.Name()) {
			require.Contains(t, folders, e.Name(), "a new top-level folder needs a record in docs/decisions")
		}
	}
}

func TestHeavyPackagesStayOutOfTheBuild(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...")
	cmd.Dir = root(t)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	deps := strings.Fields(string(out))
	require.Contains(t, deps, module+"/ride")
	for _, d := range deps {
		require.False(t, withinAny(d, heavy), "%s is in the build", d)
	}
}

// The rules are tested on a small tree, so that they cannot silently stop working.
func TestRulesSeeWhatTheyForbid(t *testing.T) {
	imports := func(p string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("package x\nimport _ \"" + p + "\"\n")}
	}
	const ours = module + "/"
	for _, c := range []struct {
		file, imp string
		ok        bool
	}{
		{"ride/a.go", ours + "geo", true},
		{"ride/a.go", ours + "ride/ridepb", false},
		{"ride/view/a.go", ours + "ride/ridepb", true},
		{"ride/a.go", ours + "persistence", false},
		{"geo/a.go", ours + "ride", false},
		{"geo/grid/a.go", ours + "geo", true},
		{"geo/a.go", ours + "geo/streets", false},
		{"geo/streets/a.go", ours + "geo", true},
		{"geo/streets/a.go", ours + "geo/streets/pbf", true},
		{"geo/streets/a.go", ours + "ride", false},
		{"geo/streets/ch/a.go", ours + "geo/streets", false},
		{"geo/streets/pbf/a.go", "google.golang.org/protobuf/encoding/protowire", true},
		{"geo/streets/pbf/a.go", "google.golang.org/protobuf/proto", false},
		{"geo/streets/names/a.go", "golang.org/x/text/unicode/norm", true},
		{"geo/streets/a.go", "golang.org/x/text/cases", false},
		{"geo/streets/a.go", "compress/zlib", true},
		{"geo/streets/a_test.go", "pgregory.net/rapid", true},
		{"ride/a.go", ours + "geo/streets", true},
		{"actors/a.go", ours + "transport", false},
		{"actors/a_test.go", ours + "persistence", false},
		{"actors/a.go", ours + "actors/runtime", true},
		{"actors/a.go", ours + "actors/city", true},
		{"actors/city/a.go", ours + "actors/runtime", true},
		{"actors/city/a.go", ours + "ride/view", true},
		{"actors/city/a.go", ours + "actors", false},
		{"actors/runtime/a.go", ours + "actors/city", false},
		{"actors/runtime/a.go", ours + "ride", false},
		{"actors/runtime/a.go", ours + "actors", false},
		{"transport/api/a.go", ours + "transport/auth", true},
		{"transport/ops/a.go", ours + "actors", false},
		{"persistence/a.go", ours + "cmd/hexhail/internal/config", false},
		{"persistence/a.go", ours + "persistence/pgtest", false},
		{"persistence/a_test.go", ours + "persistence/pgtest", true},
		{"ride/storetest/a.go", "github.com/stretchr/testify/require", true},
		{"actors/a_test.go", ours + "ride/storetest", true},
		{"actors/a.go", ours + "ride/storetest", false},
		{"sim/a.go", ours + "ride/ridepb/wire", true},
		{"sim/a.go", ours + "ride", false},
		{"cmd/hexhail/a.go", ours + "actors", true},
		{"cmd/hexhail/a.go", ours + "transport/internal/memstore", false},
		{"cmd/hexhail/internal/cli/a.go", ours + "cmd/hexhail/internal/testbench/harness", false},
		{"cmd/hexhail/internal/cli/a_test.go", ours + "cmd/hexhail/internal/testbench/harness", true},
		{"extra/a.go", ours + "geo", false},
		{"actors/a.go", "github.com/asynkron/protoactor-go/actor", true},
		{"transport/a.go", "github.com/asynkron/protoactor-go/actor", false},
		{"actors/runtime/a.go", "github.com/asynkron/protoactor-go/actor", true},
		{"actors/city/a.go", "github.com/asynkron/protoactor-go/actor", false},
		{"actors/a.go", "github.com/asynkron/protoactor-go/remote", false},
		{"actors/cluster/a.go", "github.com/asynkron/protoactor-go/remote", true},
		{"actors/cluster/a.go", "go.etcd.io/etcd/client/v3", false},
		{"actors/cluster/registry/a.go", "go.etcd.io/etcd/client/v3", true},
		{"actors/cluster/registry/a.go", "github.com/asynkron/protoactor-go/actor", false},
		{"actors/cluster/registry/a.go", ours + "actors/cluster/membership", true},
		{"actors/cluster/membership/a.go", ours + "actors/cluster/registry", false},
		{"actors/cluster/membership/a.go", "github.com/asynkron/protoactor-go/actor", false},
		{"ride/a_test.go", "github.com/uber/h3-go/v4", false},
		{"geo/a.go", "github.com/uber/h3-go/v4", true},
		{"transport/ws/a.go", "github.com/gobwas/ws", true},
		{"sim/client/a.go", "github.com/gobwas/ws", true},
		{"sim/city/a.go", "github.com/gobwas/ws", false},
		{"sim/check/a.go", "github.com/anishathalye/porcupine", true},
		{"actors/a.go", "github.com/anishathalye/porcupine", false},
		{"transport/a.go", "github.com/gobwas/ws", false},
		{"transport/a_test.go", "github.com/gobwas/ws", true},
		{"actors/a.go", "github.com/stretchr/testify/require", false},
		{"actors/a_test.go", "github.com/stretchr/testify/require", true},
		{"actors/a.go", "testing", false},
	} {
		found := violations(scan(t, fstest.MapFS{c.file: imports(c.imp)}))
		require.Equal(t, c.ok, len(found) == 0, "%s importing %s: %v", c.file, c.imp, found)
	}
}
