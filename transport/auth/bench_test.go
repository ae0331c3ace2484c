package auth

import "testing"

// BenchmarkLogIn is what a log-in costs with the default costs of hashing.
func BenchmarkLogIn(b *testing.B) {
	f := newFixture(b, func(c *Config) { c.Password = DefaultPasswordConfig() })
	f.rider(b, "alice")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := f.LogIn(b.Context(), "alice", "correct horse", "192.0.2.1"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticate is what recognising a caller costs, but for the store.
func BenchmarkAuthenticate(b *testing.B) {
	f := newFixture(b)
	_, tk := f.rider(b, "alice")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Authenticate(b.Context(), tk.Access); err != nil {
			b.Fatal(err)
		}
	}
}
