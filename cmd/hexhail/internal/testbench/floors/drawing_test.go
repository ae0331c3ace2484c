package floors

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// rooms are the boxes of the drawings in docs/architecture.md. A package belongs to the first room
// that contains it; a package in no room is a separate box.
var rooms = []string{
	"geo/streets", "geo", "ride/ridepb", "ride/view", "ride/dispatch", "ride", "actors/runtime", "actors/nodepb", "actors/city", "actors",
	"transport/ws", "transport/auth", "transport/session", "transport/api", "transport", "persistence", "sim", "web", "cmd",
}

func roomOf(folder string) string {
	for _, r := range rooms {
		if within(folder, r) {
			return r
		}
	}
	return folder
}

// drawing is a Mermaid graph of the imports between boxes, without tests and packages that only
// tests import. box names the box of a folder; an empty name leaves it out.
func drawing(files []source, box func(folder string) string) string {
	arrows := map[string]bool{}
	for _, f := range files {
		from := box(f.dir)
		if f.test || from == "" || isForTests(f.dir) {
			continue
		}
		for _, imp := range f.imports {
			own, ok := strings.CutPrefix(imp, "./")
			if to := box(own); ok && to != "" && to != from {
				arrows[fmt.Sprintf("    %s --> %s\n", from, to)] = true
			}
		}
	}
	return "```mermaid\nflowchart TD\n" + strings.Join(slices.Sorted(maps.Keys(arrows)), "") + "```\n"
}

// commandRoom is the box of a folder of the command: the last part of its path.
func commandRoom(folder string) string {
	room, ok := strings.CutPrefix(folder, "cmd/hexhail/internal/")
	switch {
	case folder == "cmd/hexhail":
		return "main"
	case !ok || within(room, "testbench"):
		return ""
	}
	room, _, _ = strings.Cut(room, "/")
	return room
}

// TestArchitecturePageDrawsTheImports draws the imports from the code and compares; with
// HEXHAIL_UPDATE=1 it writes them.
func TestArchitecturePageDrawsTheImports(t *testing.T) {
	path := filepath.Join(root(t), "docs/architecture.md")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	page := string(b)
	files := scan(t, os.DirFS(root(t)))
	for name, text := range map[string]string{
		"imports of all":         drawing(files, roomOf),
		"imports of the command": drawing(files, commandRoom),
	} {
		require.Greater(t, strings.Count(text, "-->"), 10, "%s: the drawing is almost empty", name)
		begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
		head, rest, ok := strings.Cut(page, begin)
		require.True(t, ok, "the page has no place for the %s", name)
		_, tail, ok := strings.Cut(rest, end)
		require.True(t, ok, "the place for the %s has no end", name)
		page = head + begin + text + end + tail
	}
	if os.Getenv("HEXHAIL_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
		return
	}
	require.Equal(t, page, string(b), "run: HEXHAIL_UPDATE=1 go test ./cmd/hexhail/internal/testbench/floors")
}

func TestDrawingShowsWhatIsImported(t *testing.T) {
	file := func(imports ...string) *fstest.MapFile {
		text := "package x\n"
		for _, imp := range imports {
			text += "import _ \"" + module + "/" + imp + "\"\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	files := scan(t, fstest.MapFS{
		"ride/a.go":                          file("geo"),
		"ride/ridepb/wire/a.go":              file("ride/ridepb"),
		"ride/a_test.go":                     file("ride/view"),
		"ride/storetest/a.go":                file("persistence"),
		"cmd/hexhail/main.go":                file("cmd/hexhail/internal/cli"),
		"cmd/hexhail/internal/cli/a.go":      file("cmd/hexhail/internal/config", "ride"),
		"cmd/hexhail/internal/config/d/m.go": file("cmd/hexhail/internal/config"),
	})
	require.Equal(t, "```mermaid\nflowchart TD\n    cmd --> ride\n    ride --> geo\n```\n", drawing(files, roomOf))
	require.Equal(t, "```mermaid\nflowchart TD\n    cli --> config\n    main --> cli\n```\n", drawing(files, commandRoom))
}
