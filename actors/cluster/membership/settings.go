package membership

import (
	"maps"
	"slices"
	"strings"
)

// Settings makes a Member's Settings of a digest for each, so that two members can tell which ones
// differ. Neither names nor digests hold a space or an equals sign.
func Settings(digests map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		out = append(out, name+"="+digests[name])
	}
	return strings.Join(out, " ")
}

// differing returns the names of the settings that differ between two members, in order. A setting that
// only one of them names is not compared: the other's version does not know it.
func differing(a, b string) []string {
	digests := func(s string) map[string]string {
		out := make(map[string]string)
		for _, field := range strings.Fields(s) {
			name, digest, _ := strings.Cut(field, "=")
			out[name] = digest
		}
		return out
	}
	ours, theirs := digests(a), digests(b)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if other, ok := theirs[name]; ok && other != ours[name] {
			names = append(names, name)
		}
	}
	return names
}

// Unlike returns the oldest member, and the names of the settings in which a member differs from it;
// none if it is the oldest itself. The oldest decides, so that a member that joins with other settings
// keeps no other from serving.
func (v View) Unlike(id ID) (oldest ID, settings []string) {
	var self, first *Member
	for i := range v.Members {
		m := &v.Members[i]
		if m.ID == id {
			self = m
		}
		if first == nil || m.older(*first) {
			first = m
		}
	}
	if self == nil || first == self {
		return id, nil
	}
	return first.ID, differing(self.Settings, first.Settings)
}
