// Package floors holds no code, only the tests that keep Hexhail's packages on their
// floors: who may import whom, and what the domain must not do.
package floors
