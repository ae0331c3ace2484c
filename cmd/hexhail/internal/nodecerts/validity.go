package nodecerts

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Validity is how long a certificate is valid: whole years, days or hours.
type Validity struct {
	n    int
	unit byte
}

// units are how many of each unit are allowed: at most a century.
var units = map[byte]int{'y': 100, 'd': 36525, 'h': 876600}

// UnmarshalText reads 10y, 90d or 12h.
func (v *Validity) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must be years, days or hours, such as 1y, 90d or 12h")
	}
	unit := text[len(text)-1]
	n, err := strconv.Atoi(string(text[:len(text)-1]))
	if err != nil || n < 1 || n > units[unit] {
		return fmt.Errorf("must be years, days or hours, such as 1y, 90d or 12h, up to 100y, not %q", text)
	}
	*v = Validity{n, unit}
	return nil
}

// From returns when a certificate ends that is made at a time. A year ends on the same date.
func (v Validity) From(t time.Time) time.Time {
	switch v.unit {
	case 'y':
		return t.AddDate(v.n, 0, 0)
	case 'd':
		return t.AddDate(0, 0, v.n)
	}
	return t.Add(time.Duration(v.n) * time.Hour)
}
