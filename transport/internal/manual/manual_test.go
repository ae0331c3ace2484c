package manual_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/internal/manual"
)

const text = "# Page\n" +
	"<!-- fruit -->\n| name | taste |\n|---|---|\n| `apple` | sweet, `raw` |\n| quince | |\n\n" +
	"<!-- twice -->\n| a |\n|---|\n| b |\n\n<!-- twice -->\n| a |\n|---|\n| b |\n\n" +
	"<!-- bare -->\n| a |\n|---|\n\n" +
	"## Eating\n### `peel`, then eat\n```json client\n{\n}\n```\n### Peel then eat\n" +
	"```text\n### no heading\n```\n## Drinking\n### Juice\n"

func load(t *testing.T) *manual.Page {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "docs"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "deep", "down"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "docs", "page.md"), []byte(text), 0o600))
	t.Chdir(filepath.Join(root, "deep", "down"))
	page, err := manual.Load("page.md")
	require.NoError(t, err)
	return page
}

func TestTable(t *testing.T) {
	page := load(t)
	rows, err := page.Table("fruit")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"apple", "sweet, `raw`"}, {"quince", ""}}, rows)
	for _, name := range []string{"vegetables", "twice", "bare"} {
		_, err := page.Table(name)
		require.Error(t, err, name)
	}
	require.Equal(t, []string{"it", ""}, append(page.Tables("fru"), page.Tables("bare")...))
}

func TestBlocksAndHeadings(t *testing.T) {
	page := load(t)
	require.Equal(t, []manual.Block{
		{Line: 25, Info: "json client", Text: "{\n}\n", Section: "Eating", Title: "peel, then eat"},
		{Line: 30, Info: "text", Text: "### no heading\n", Section: "Eating", Title: "Peel then eat"},
	}, page.Blocks())
	require.Equal(t, []string{"peel, then eat", "Peel then eat"}, page.Titles("Eating"))
	require.Equal(t, map[string]bool{
		"page": true, "eating": true, "peel-then-eat": true, "peel-then-eat-1": true, "drinking": true, "juice": true,
	}, page.Headings())
}

// Tables of several pages are found alike, and a name that two of them use is refused.
func TestSeveralPagesAreOne(t *testing.T) {
	load(t)
	require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "more.md"), []byte("<!-- nuts -->\n| a |\n|---|\n| b |\n"), 0o600))
	page, err := manual.Load("page.md", "more.md")
	require.NoError(t, err)
	for _, name := range []string{"fruit", "nuts"} {
		_, err := page.Table(name)
		require.NoError(t, err, name)
	}
	page, err = manual.Load("more.md", "more.md")
	require.NoError(t, err)
	_, err = page.Table("nuts")
	require.Error(t, err)
}

func TestLoadFindsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := manual.Load("no-such-page.md")
	require.ErrorIs(t, err, os.ErrNotExist)
}
