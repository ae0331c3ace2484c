package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how Hexhail recognises people. Begin with [DefaultConfig]: a zero is a zero.
type Config struct {
	// Issuer is the "iss" of our own tokens.
	Issuer string
	// Audience is the "aud" of our own tokens. Deployments that
	// share a key must not share an audience.
	Audience string
	// AccessTTL is the life of an access token: 24 hours at most.
	AccessTTL time.Duration
	// RefreshTTL is the life of a refresh token, renewed by each use.
	RefreshTTL time.Duration
	// RefreshGrace is how long the attempt that spent a refresh token may come again,
	// unless the token's successor was used: 10 minutes at most, 0 for never.
	RefreshGrace time.Duration
	// Leeway forgives clocks that differ: a minute at most.
	Leeway time.Duration
	// TicketTTL is the life of a socket ticket: 30 s at most.
	TicketTTL time.Duration
	// MaxAccountTickets bounds the unredeemed tickets of one account, MaxTickets those of all
	// accounts where Tickets is nil.
	MaxAccountTickets, MaxTickets int
	// Tickets keeps tickets where each server on the database can redeem them; nil: in the memory
	// of this process.
	Tickets Tickets
	// Password says what hashing costs.
	Password PasswordConfig
	// Guard says when guessing is slowed down.
	Guard GuardConfig
	// DriverApproval makes drivers who sign up wait for an operator. Those of outside issuers
	// never do.
	DriverApproval bool
	// OutsideTTL is the longest life of an outside issuer's token, from its making, or from now
	// if it does not say when that was: a year at most.
	OutsideTTL time.Duration
	// Outside lists the trusted outside issuers.
	Outside []OutsideIssuer
	// Log gets what an operator should know; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("auth configuration")

// DefaultConfig is a complete Config.
func DefaultConfig() Config {
	return Config{
		Issuer: "hexhail", Audience: "hexhail",
		AccessTTL: 15 * time.Minute, RefreshTTL: 30 * 24 * time.Hour, RefreshGrace: 30 * time.Second,
		Leeway: 10 * time.Second, TicketTTL: 30 * time.Second, MaxAccountTickets: 100, MaxTickets: 10_000,
		OutsideTTL: 30 * 24 * time.Hour,
		Password:   DefaultPasswordConfig(), Guard: DefaultGuardConfig(),
	}
}

// complete fills in what no configuration names.
func (c Config) complete() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tickets == nil {
		c.Tickets = newMemoryTickets(c.MaxTickets, c.Now)
	}
	return c
}

// Validate returns an error that wraps ErrConfig unless a service can work by c.
func (c Config) Validate() error {
	switch {
	case c.Issuer == "" || c.Audience == "":
		return fmt.Errorf("%w: our own tokens need an issuer and an audience", ErrConfig)
	case c.AccessTTL < 10*time.Second || c.AccessTTL > 24*time.Hour:
		return fmt.Errorf("%w: an access token must live from 10s to 24h", ErrConfig)
	case c.RefreshTTL < c.AccessTTL || c.RefreshTTL > 366*24*time.Hour:
		return fmt.Errorf("%w: a refresh token must live at least as long as an access token and at most a year", ErrConfig)
	case c.RefreshGrace < 0 || c.RefreshGrace > 10*time.Minute:
		return fmt.Errorf("%w: the grace of a refresh token must be from 0 to 10m", ErrConfig)
	case c.OutsideTTL < time.Minute || c.OutsideTTL > 366*24*time.Hour:
		return fmt.Errorf("%w: an outside token must be allowed to live from 1m to a year", ErrConfig)
	case c.Leeway < 0 || c.Leeway > time.Minute:
		return fmt.Errorf("%w: the leeway must be from 0 to 1m", ErrConfig)
	case c.TicketTTL < time.Second || c.TicketTTL > 30*time.Second:
		return fmt.Errorf("%w: a ticket must live from 1s to 30s", ErrConfig)
	case min(c.MaxTickets, c.MaxAccountTickets) < 1 || max(c.MaxTickets, c.MaxAccountTickets) > 1_000_000:
		return fmt.Errorf("%w: tickets must be bounded by 1 to 1,000,000", ErrConfig)
	}
	if err := c.Password.validate(); err != nil {
		return err
	}
	if err := c.Guard.validate(); err != nil {
		return err
	}
	return validateOutside(c.Issuer, c.Outside)
}
