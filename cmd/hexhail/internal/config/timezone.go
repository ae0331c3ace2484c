package config

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // images and machines without zone files know the zones as well
)

// TimeZone is a time zone by its IANA name, which is valid. The zero value is UTC.
type TimeZone struct{ Name string }

// Location returns the zone.
func (z TimeZone) Location() *time.Location {
	if zone, err := time.LoadLocation(z.Name); err == nil {
		return zone
	}
	return time.UTC
}

// UnmarshalText reads a name; an empty text is UTC.
func (z *TimeZone) UnmarshalText(text []byte) error {
	name := cmp.Or(string(text), "UTC")
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return fmt.Errorf("must be the IANA name of a time zone, such as Asia/Seoul or America/New_York, not %q", text)
	}
	z.Name = name
	return nil
}

// MarshalText writes the name.
func (z TimeZone) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

func (z TimeZone) String() string { return cmp.Or(z.Name, "UTC") }
