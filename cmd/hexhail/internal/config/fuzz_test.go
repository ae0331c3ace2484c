package config

import (
	"testing"

	"github.com/hexhail/hexhail/ride"
)

// Whatever a configuration file contains, reading it ends in values or in problems with a place,
// never in a panic.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"", "---\n", "listen: ':1'\n", "a: &x [1, 2]\nb: *x\n", "tariffs: [{class: a}]\n", "? [a]\n: b\n", "a: &a [*a]\n",
		"outside-issuers:\n- issuer: i\n  roles: [rider]\n", "<<: {a: b}\n", "trusted-proxies: !!binary aGk=\n", "a: !!null\n", "a: 1\na: 2\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 {
			return // readFile bounds the size; deep nesting shows in little text, too
		}
		got, err := parseFile("file.yaml", text)
		if err != nil {
			return
		}
		for _, key := range got.keys {
			v, where, err := got.value(key)
			if (v == nil) == (err == nil) || where == "" {
				t.Fatalf("%q: value %v, error %v, place %q", key, v, err, where)
			}
		}
		got.unknown(map[string]bool{"listen": true})
		var tariffs ride.Tariffs
		if _, err := got.decode("tariffs", &tariffs); err == nil {
			_ = tariffs.Validate()
		}
		var issuers []OutsideIssuer
		_, _ = got.decode("outside-issuers", &issuers)
	})
}
