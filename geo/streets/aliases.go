package streets

import (
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo/streets/names"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

const (
	maxAliases  = 24 // of one name
	maxLanguage = 16 // letters of a language
)

// otherNames are the keys of further names, in the order in which they are kept; name:xx is one, too.
var otherNames = []string{
	"alt_name", "official_name", "short_name", "loc_name", "reg_name", "nat_name", "int_name", "name_1", "name_2", "name_3", "name1",
	"old_name", "ref",
}

// aliasesOf appends the other names that tags give to those that are known. The texts are copies, since
// a tag is a part of all strings of its block.
func aliasesOf(tags pbf.Tags, name string, out []names.Alias) []names.Alias {
	add := func(lang, text string) {
		for part := range strings.SplitSeq(text, ";") {
			part = clean(part)
			if part == "" || part == name || len(out) >= maxAliases ||
				slices.ContainsFunc(out, func(o names.Alias) bool { return o.Lang == lang && o.Text == part }) {
				continue
			}
			out = append(out, names.Alias{Lang: strings.Clone(lang), Text: strings.Clone(part)})
		}
	}
	for _, t := range tags {
		if lang, ok := strings.CutPrefix(t.Key, "name:"); ok && isLanguage(lang) {
			add(lang, t.Value)
		}
	}
	for _, key := range otherNames {
		add("", tags.Get(key))
	}
	return out
}

// isLanguage reports whether the end of a key name:xx is a language: two or three letters, perhaps with a
// script or a region. Others are about the name: name:pronunciation, name:etymology.
func isLanguage(s string) bool {
	base, rest, _ := strings.Cut(s, "-")
	if len(base) < 2 || len(base) > 3 || len(s) > maxLanguage {
		return false
	}
	for _, r := range base {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	for _, r := range rest {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-') {
			return false
		}
	}
	return true
}
