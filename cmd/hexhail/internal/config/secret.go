package config

import (
	"log/slog"
	"net/url"
)

// Secret is a setting that must stay hidden: printing it prints a redacted
// form. Reveal gives the value itself.
type Secret string

const redacted = "[redacted]"

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String is the redacted form: of a URL the password and the query are hidden, of
// anything else everything.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(string(s))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	if u.RawQuery != "" { // PostgreSQL takes a password there, too
		u.RawQuery = "redacted"
	}
	u.Fragment = ""
	return u.String()
}

// GoString keeps %#v from showing the value.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps the value out of the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalYAML keeps the value out of what config show prints.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// MarshalText keeps the value out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
