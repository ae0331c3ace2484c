package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how Hexhail recognises people. The zero value of a field means its default.
type Config struct {
	// Issuer is the "iss" of our own tokens, "hexhail" by default.
	Issuer string
	// Audience is the "aud" of our own tokens, "hexhail" by default. Deployments that
	// share a key must not share an audience.
	Audience string
	// AccessTTL is the life of an access token: 15 minutes by default, 24 hours at most.
	AccessTTL time.Duration
	// RefreshTTL is the life of a refresh token, renewed by each use: 30 days by default.
	RefreshTTL time.Duration
	// RefreshGrace is how long the attempt that spent a refresh token may come again,
	// unless the token's successor was used: 30 s by default, 10 minutes at most, negative for never.
	RefreshGrace time.Duration
	// Leeway forgives clocks that differ: 10 s by default, a minute at most.
	Leeway time.Duration
	// TicketTTL is the life of a socket ticket: 30 s by default and at most.
	TicketTTL time.Duration
	// MaxTickets bounds the tickets waiting at once: 10,000 by default.
	MaxTickets int
	// Password says what hashing costs.
	Password PasswordConfig
	// Guard says when guessing is slowed down.
	Guard GuardConfig
	// DriverApproval makes drivers who sign up wait for an operator. Those of outside issuers
	// never do.
	DriverApproval bool
	// OutsideTTL is the longest life of an outside issuer's token, from its making, or from now
	// if it does not say when that was: 30 days by default, a year at most.
	OutsideTTL time.Duration
	// Outside lists the trusted outside issuers.
	Outside []OutsideIssuer
	// Log gets what an operator should know; slog.DiscardHandler by default.
	Log *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("auth configuration")

func (c Config) withDefaults() (Config, error) {
	def(&c.Issuer, "hexhail")
	def(&c.Audience, "hexhail")
	def(&c.AccessTTL, 15*time.Minute)
	def(&c.RefreshTTL, 30*24*time.Hour)
	def(&c.RefreshGrace, 30*time.Second)
	def(&c.Leeway, 10*time.Second)
	def(&c.TicketTTL, 30*time.Second)
	def(&c.MaxTickets, 10_000)
	def(&c.OutsideTTL, 30*24*time.Hour)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Password = c.Password.withDefaults()
	c.Guard = c.Guard.withDefaults()
	switch {
	case c.AccessTTL < 10*time.Second || c.AccessTTL > 24*time.Hour:
		return c, fmt.Errorf("%w: an access token must live from 10s to 24h", ErrConfig)
	case c.RefreshTTL < c.AccessTTL || c.RefreshTTL > 366*24*time.Hour:
		return c, fmt.Errorf("%w: a refresh token must live at least as long as an access token and at most a year", ErrConfig)
	case c.RefreshGrace > 10*time.Minute:
		return c, fmt.Errorf("%w: the grace of a refresh token must be at most 10m", ErrConfig)
	case c.OutsideTTL < time.Minute || c.OutsideTTL > 366*24*time.Hour:
		return c, fmt.Errorf("%w: an outside token must be allowed to live from 1m to a year", ErrConfig)
	case c.Leeway < 0 || c.Leeway > time.Minute:
		return c, fmt.Errorf("%w: the leeway must be from 0 to 1m", ErrConfig)
	case c.TicketTTL < time.Second || c.TicketTTL > 30*time.Second:
		return c, fmt.Errorf("%w: a ticket must live from 1s to 30s", ErrConfig)
	case c.MaxTickets < 1 || c.MaxTickets > 1_000_000:
		return c, fmt.Errorf("%w: tickets must be bounded by 1 to 1,000,000", ErrConfig)
	}
	if err := c.Password.validate(); err != nil {
		return c, err
	}
	return c, validateOutside(c.Issuer, c.Outside)
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
