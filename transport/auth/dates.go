package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/hexhail/hexhail/ride"
)

// lastSecond is the last second of the year 9999, the last that other formats can write.
const lastSecond = 253402300799

// checkDates refuses a token with a date that is none. The library reads dates as floating-point
// numbers and converts them, and beyond the range of an integer the result may be anything, such
// as a time long ago: a token that is not valid yet, or one from the future, would count. It
// therefore sees only plain non-negative decimals up to the year 9999.
func checkDates(token string) error {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", jwt.ErrTokenMalformed, err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("%w: %w", jwt.ErrTokenMalformed, err)
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		if v, ok := all[name]; ok && !plainDate(string(v)) {
			return fmt.Errorf("%w: %s is not a date", jwt.ErrTokenInvalidClaims, name)
		}
	}
	return nil
}

// plainDate tells whether a JSON value is a number of seconds since 1970, with at most nine
// decimals, that lies before the year 10000.
func plainDate(v string) bool {
	whole, fraction, dot := strings.Cut(v, ".")
	if len(whole) > 12 || len(fraction) > 9 || !digits(whole) || dot && !digits(fraction) {
		return false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	return err == nil && n <= lastSecond
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// early remembers, per account, the latest instant that an outside issuer's token named as its
// making when that lay in the future: a log-out must cover tokens of an issuer whose clock is
// ahead of ours. Safe for concurrent use.
type early struct {
	mu     sync.Mutex
	latest *simplelru.LRU[ride.AccountID, time.Time]
}

// earlyAccounts bounds the accounts remembered.
const earlyAccounts = 10_000

func newEarly() *early {
	latest, _ := simplelru.NewLRU[ride.AccountID, time.Time](earlyAccounts, nil) // fails for no size alone
	return &early{latest: latest}
}

func (e *early) saw(id ride.AccountID, issued, now time.Time) {
	if !issued.After(now) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, ok := e.latest.Get(id); !ok || last.Before(issued) {
		e.latest.Add(id, issued)
	}
}

// until is the later of now and what the account's tokens named.
func (e *early) until(id ride.AccountID, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last, ok := e.latest.Get(id); ok && last.After(now) {
		return last
	}
	return now
}
