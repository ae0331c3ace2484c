package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const repository = "../../../../.."

var (
	namedFile = regexp.MustCompile("`([a-z][A-Za-z0-9_./-]*/[A-Za-z0-9_./-]+)`")
	namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Za-z0-9]+)`")
	pageLink  = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

// Every file, folder and link on the page exists.
func TestArchitecturePageNamesFilesThatExist(t *testing.T) {
	page := read(t, "docs/architecture.md")
	files := 0
	for _, m := range namedFile.FindAllStringSubmatch(page, -1) {
		if namedTest.MatchString(m[0]) {
			continue
		}
		_, err := os.Stat(filepath.Join(repository, m[1]))
		require.NoError(t, err, "the page names a file that does not exist")
		files++
	}
	require.Greater(t, files, 100)
	for _, m := range pageLink.FindAllStringSubmatch(page, -1) {
		_, err := os.Stat(filepath.Join(repository, "docs", m[1]))
		require.NoError(t, err, "the page has a dead link")
	}
}

// Every test that the page names exists.
func TestArchitecturePageNamesTestsThatExist(t *testing.T) {
	named := namedTest.FindAllStringSubmatch(read(t, "docs/architecture.md"), -1)
	require.Greater(t, len(named), 25)
	for _, m := range named {
		sources, err := filepath.Glob(filepath.Join(repository, m[1], "*.go"))
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(sources, func(file string) bool {
			source, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(source), "\nfunc "+m[2]+"(")
		}), "%s has no %s", m[1], m[2])
	}
}

// Every suite of the test bench is on the page.
func TestArchitecturePageNamesEverySuite(t *testing.T) {
	page := read(t, "docs/architecture.md")
	entries, err := os.ReadDir("..")
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && e.Name() != "harness" { // the suites share it
			require.Contains(t, page, "\n| `cmd/hexhail/internal/testbench/"+e.Name()+"` |")
		}
	}
}
