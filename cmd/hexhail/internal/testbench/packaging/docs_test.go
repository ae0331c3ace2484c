package packaging

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

// A table interrupted by a blank line is rendered as text with bars.
func TestTablesAreWhole(t *testing.T) {
	row, rule := regexp.MustCompile(`^\s*\|.*\|\s*$`), regexp.MustCompile(`^\s*\|[\s:|-]+\|\s*$`)
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "web/*/README.md"} {
		found, err := filepath.Glob(filepath.Join("../../../../..", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		pages = append(pages, found...)
	}
	tables := 0
	for _, page := range pages {
		name, err := filepath.Rel("../../../../..", page)
		require.NoError(t, err)
		lines := strings.Split(read(t, name), "\n")
		columns, code := 0, false
		for i, line := range lines {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				code = !code
			}
			switch {
			case code || !row.MatchString(line):
				columns = 0
				continue
			case columns == 0: // the head
				require.True(t, i+1 < len(lines) && rule.MatchString(lines[i+1]), "%s:%d: rows without a head", name, i+1)
				columns = cells(line)
				tables++
			}
			require.Equal(t, columns, cells(line), "%s:%d: the number of columns differs from the head", name, i+1)
		}
	}
	require.Greater(t, tables, 20)
}

// cells counts the columns of a row; a bar in code or behind a backslash is text.
func cells(line string) int {
	n, inCode := 0, false
	for i, c := range line {
		switch {
		case c == '`':
			inCode = !inCode
		case c == '|' && !inCode && (i == 0 || line[i-1] != '\\'):
			n++
		}
	}
	return n - 1
}

// Each row of the tables of bounds names a test, which ride.TestSemanticsPageNamesTestsThatExist
// looks for, and settings that exist.
func TestEveryBoundHasATest(t *testing.T) {
	_, section, ok := strings.Cut(read(t, "docs/semantics.md"), "\n## What is bounded, and by what\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	names, err := config.Names()
	require.NoError(t, err)
	setting := regexp.MustCompile("`([a-z]+(?:-[a-z]+)+)`")
	rows := 0
	for _, line := range strings.Split(section, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| resource |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		require.Len(t, cells, 4, line)
		require.Contains(t, cells[3], ".Test", "%s has no test", cells[0])
		for _, m := range setting.FindAllStringSubmatch(cells[1], -1) {
			require.Contains(t, names, m[1], "%s: no such setting", cells[0])
		}
	}
	require.Greater(t, rows, 40)
}
