package auth

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "embed" // for the list of common passwords

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/hexhail/hexhail/ride"
)

// PasswordConfig says what hashing a password costs, and how much of that may go on
// at once. Begin with [DefaultPasswordConfig].
type PasswordConfig struct {
	// MemoryKiB, Iterations and Parallelism are argon2id's. Hashes made with other values are renewed at the next log-in.
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
	// Concurrent bounds the hashes computed at once. Memory in use is at most Concurrent × MemoryKiB.
	Concurrent int
	// Waiting bounds those who wait for their turn, Wait how long. Beyond either the answer is ride.ErrUnavailable.
	Waiting int
	Wait    time.Duration
}

// DefaultPasswordConfig is a complete PasswordConfig: one hash at a time for each processor.
func DefaultPasswordConfig() PasswordConfig {
	return PasswordConfig{
		MemoryKiB: 19 * 1024, Iterations: 2, Parallelism: 1,
		Concurrent: runtime.GOMAXPROCS(0), Waiting: 64, Wait: 3 * time.Second,
	}
}

func (c PasswordConfig) validate() error {
	switch {
	case c.MemoryKiB < 8*uint32(c.Parallelism) || c.MemoryKiB > 4<<20:
		return fmt.Errorf("%w: password hashing must use from 8 KiB per lane to 4 GiB", ErrConfig)
	case c.Parallelism < 1 || c.Iterations < 1 || c.Iterations > 100:
		return fmt.Errorf("%w: password hashing needs a lane, and from 1 to 100 iterations", ErrConfig)
	case c.Concurrent < 1 || c.Waiting < 0 || c.Wait < 0:
		return fmt.Errorf("%w: password hashing needs room for at least one", ErrConfig)
	}
	return nil
}

// Passwords hashes and verifies passwords. Safe for concurrent use.
type Passwords struct {
	params *argon2id.Params
	wait   time.Duration
	room   chan struct{} // held while hashing or waiting
	turn   chan struct{} // held while hashing
	dummy  string        // what unknown accounts are verified against
}

// NewPasswords makes a hasher. It computes one hash, for accounts that do not exist.
func NewPasswords(c PasswordConfig) (*Passwords, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	p := &Passwords{
		params: &argon2id.Params{
			Memory: c.MemoryKiB, Iterations: c.Iterations, Parallelism: c.Parallelism,
			SaltLength: 16, KeyLength: 32,
		},
		wait: c.Wait,
		room: make(chan struct{}, c.Concurrent+c.Waiting),
		turn: make(chan struct{}, c.Concurrent),
	}
	secret, err := randomToken()
	if err != nil {
		return nil, err
	}
	if p.dummy, err = argon2id.CreateHash(secret, p.params); err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return p, nil
}

// Hash makes the PHC string of a password. ride.ErrUnavailable when there is no room.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	done, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	h, err := argon2id.CreateHash(normal(password), p.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return h, nil
}

// Verify compares a password with a hash. An empty hash, of an account that does not
// exist or has no password, takes as long as any other and never matches. stale says
// that the hash was made with other costs and should be renewed.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	exists := hash != ""
	if !exists {
		hash = p.dummy
	}
	done, err := p.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	ok, params, err := argon2id.CheckHash(normal(password), hash)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	return ok && exists, *params != *p.params, nil
}

// enter waits for a turn, within bounds; the caller must call what it returns.
func (p *Passwords) enter(ctx context.Context) (func(), error) {
	busy := ride.ErrUnavailable.With("Too many people sign in at once; try again in a moment.")
	select {
	case p.room <- struct{}{}:
	default:
		return nil, busy
	}
	done := func() { <-p.turn; <-p.room }
	select {
	case p.turn <- struct{}{}:
		return done, nil
	default:
	}
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.turn <- struct{}{}:
		return done, nil
	case <-ctx.Done():
	case <-timer.C:
	}
	<-p.room
	return nil, busy
}

// normal gives the same password the same bytes from every keyboard.
func normal(password string) string { return norm.NFC.String(password) }

//go:embed common-passwords.txt
var commonPasswordList string

// commonPasswords are the first guesses of 8 bytes and more, more than the 3,000 that ASVS asks
// for, in lower case. Long rules make people write passwords down; refusing these does not. The web app's
// meter reads the same file.
var commonPasswords = sync.OnceValue(func() map[string]struct{} {
	all := make(map[string]struct{}, 9000)
	for line := range strings.Lines(commonPasswordList) {
		if word := strings.TrimSuffix(line, "\n"); !strings.HasPrefix(word, "# ") {
			all[word] = struct{}{}
		}
	}
	return all
})

// common reports whether a password is among the most common ones. It ignores case, Unicode
// form and surrounding space; a password of nothing but space is common, too.
func common(password string) bool {
	word := TidyEnds(strings.ToLower(norm.NFKC.String(password)))
	_, ok := commonPasswords()[word]
	return ok || word == ""
}

// CheckPassword says whether a password may be chosen: 8 to 128 bytes, valid UTF-8 without
// NUL, not the username, none of the most common. It returns ride.ErrInvalidArgument.
func CheckPassword(password, username string) error {
	bad := ride.ErrInvalidArgument.In("password")
	switch {
	case len(password) < 8 || len(password) > 128:
		return bad.With("A password has from 8 to 128 bytes.")
	case !cleanText(password):
		return bad.With("A password is text without control characters.")
	case strings.EqualFold(TidyEnds(password), username):
		return bad.With("The password must not be the username.")
	case common(password):
		return bad.With("This password is too easy to guess.")
	}
	return nil
}
