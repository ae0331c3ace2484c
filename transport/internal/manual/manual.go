// Package manual reads the pages of docs/ for the tests that hold them and the code
// together. A table that a test reads is named by a comment right above it:
//
//	<!-- errors -->
//	| code | retryable |
//	|---|---|
//	| `malformed` | no |
package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Page is a Markdown page as its lines. It is read-only once loaded.
type Page struct{ lines []string }

// Load reads docs/name; of several, one after the other as one page. It looks for docs in the
// working directory and above it, for tests run in the directory of their package.
func Load(names ...string) (*Page, error) {
	page := new(Page)
	for _, name := range names {
		text, err := find(name)
		if err != nil {
			return nil, fmt.Errorf("find the manual: %w", err)
		}
		page.lines = append(page.lines, strings.Split(text, "\n")...)
	}
	return page, nil
}

func find(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "docs", name))
		if err == nil {
			return string(text), nil
		}
		up := filepath.Dir(dir)
		if !os.IsNotExist(err) || up == dir {
			return "", err
		}
		dir = up
	}
}

// Text is the whole page.
func (p *Page) Text() string { return strings.Join(p.lines, "\n") }

// Table returns the rows of the table under the comment of that name, without its
// head. Cells are trimmed, and backticks around a whole cell taken off.
func (p *Page) Table(name string) ([][]string, error) {
	marker := "<!-- " + name + " -->"
	at := -1
	for i, line := range p.lines {
		if line != marker {
			continue
		}
		if at >= 0 {
			return nil, fmt.Errorf("two tables are named %q", name)
		}
		at = i
	}
	if at < 0 {
		return nil, fmt.Errorf("there is no table named %q", name)
	}
	var rows [][]string
	for _, line := range p.lines[at+1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, cells(line))
	}
	if len(rows) < 3 {
		return nil, fmt.Errorf("the table named %q has no rows", name)
	}
	return rows[2:], nil
}

func cells(row string) []string {
	out := strings.Split(strings.Trim(row, "|"), "|")
	for i, cell := range out {
		cell = strings.TrimSpace(cell)
		if n := len(cell); n > 2 && strings.Count(cell, "`") == 2 && cell[0] == '`' && cell[n-1] == '`' {
			cell = cell[1 : n-1]
		}
		out[i] = cell
	}
	return out
}

// Tables returns the names of all tables that begin with prefix, without it.
func (p *Page) Tables(prefix string) []string {
	var out []string
	for _, line := range p.lines {
		if rest, ok := strings.CutPrefix(line, "<!-- "+prefix); ok {
			out = append(out, strings.TrimSuffix(rest, " -->"))
		}
	}
	return out
}

// Block is a fenced block of code.
type Block struct {
	Line int    // of its first line, from 1
	Info string // what follows the fence's backticks, such as "json client"
	Text string
	// Section and Title are the headings of the second and third level above it,
	// without backticks; empty if there is none.
	Section, Title string
}

var backticks = regexp.MustCompile("`")

// Blocks returns all fenced blocks, in order.
func (p *Page) Blocks() []Block {
	var out []Block
	var open *Block
	section, title := "", ""
	for i, line := range p.lines {
		switch {
		case open != nil && line == "```":
			out, open = append(out, *open), nil
		case open != nil:
			open.Text += line + "\n"
		case strings.HasPrefix(line, "```"):
			open = &Block{Line: i + 2, Info: line[3:], Section: section, Title: title}
		case strings.HasPrefix(line, "## "):
			section, title = line[3:], ""
		case strings.HasPrefix(line, "### "):
			title = backticks.ReplaceAllString(line[4:], "")
		}
	}
	return out
}

// Titles returns the headings of the third level in a section of the second, without
// backticks.
func (p *Page) Titles(section string) []string {
	var out []string
	inside, fenced := false, false
	for _, line := range p.lines {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case fenced:
		case strings.HasPrefix(line, "## "):
			inside = line[3:] == section
		case inside && strings.HasPrefix(line, "### "):
			out = append(out, backticks.ReplaceAllString(line[4:], ""))
		}
	}
	return out
}

// Headings returns the anchors of all headings, as GitHub makes them.
func (p *Page) Headings() map[string]bool {
	out := map[string]bool{}
	fenced := false
	for _, line := range p.lines {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		text := strings.TrimLeft(line, "#")
		if fenced || text == line || !strings.HasPrefix(text, " ") {
			continue
		}
		anchor := anchorOf(strings.TrimSpace(text))
		for n, base := 1, anchor; out[anchor]; n++ {
			anchor = fmt.Sprintf("%s-%d", base, n)
		}
		out[anchor] = true
	}
	return out
}

var notInAnchor = regexp.MustCompile(`[^a-z0-9_ -]`)

func anchorOf(heading string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}
