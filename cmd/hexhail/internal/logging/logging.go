// Package logging makes Hexhail's logger: text or JSON, without secrets or positions, one record
// per line whatever clients send.
package logging

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// New returns a logger that writes records of at least the level to w, as "text" or "json". It is
// safe for concurrent use; w gets one Write for each record. Repeated warnings and errors are
// thinned out.
func New(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	o := &slog.HandlerOptions{Level: l, ReplaceAttr: replace}
	switch format {
	case "text":
		return slog.New(newThin(guard{slog.NewTextHandler(w, o)})), nil
	case "json":
		return slog.New(newThin(guard{slog.NewJSONHandler(w, o)})), nil
	}
	return nil, fmt.Errorf("log format: must be text or json, not %q", format)
}

// Redacted stands where a value must not be seen.
const Redacted = "[redacted]"

// hidden holds the keys, in lower case and without separators, whose values never reach the log:
// credentials, and anything that identifies or locates a person. It is the second line of defence:
// code should not log these in the first place.
var hidden = map[string]bool{
	"token": true, "accesstoken": true, "refreshtoken": true, "idtoken": true, "ticket": true, "jwt": true,
	"password": true, "passphrase": true, "hash": true, "secret": true, "sharedsecret": true, "pin": true,
	"authorization": true, "cookie": true, "setcookie": true, "credentials": true, "signingkey": true, "privatekey": true,
	"databaseurl": true, "dsn": true,
	"name": true, "firstname": true, "lastname": true, "username": true, "phone": true, "email": true, "plate": true,
	"lat": true, "lng": true, "lon": true, "latitude": true, "longitude": true, "point": true, "position": true,
	"pickup": true, "dropoff": true, "address": true, "pickupaddress": true, "dropoffaddress": true, "note": true,
}

// canonical gives firstName, first_name and First-Name the same spelling.
func canonical(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-' || r == '.' || r == ' ':
			return -1
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, key)
}

// replace is called for every attribute: it hides secrets and writes the rest the same in both
// formats.
func replace(groups []string, a slog.Attr) slog.Attr {
	a = redact(groups, a)
	switch a.Value.Kind() {
	case slog.KindDuration: // JSON would print bare nanoseconds
		a.Value = slog.StringValue(a.Value.Duration().String())
	case slog.KindTime:
		if len(groups) > 0 || a.Key != slog.TimeKey {
			a.Value = slog.StringValue(timeText(a.Value.Time()))
		}
	case slog.KindFloat64: // JSON has no number for these
		if f := a.Value.Float64(); math.IsNaN(f) || math.IsInf(f, 0) {
			a.Value = slog.StringValue(fmt.Sprint(f))
		}
	}
	return a
}

// timeText formats a time like the protocol: UTC, to the microsecond.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// redact hides values by key. Whole groups can be hidden, because slog passes their members one by
// one with the groups' names.
func redact(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 {
		switch a.Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey:
			return a
		}
	}
	if hidden[canonical(a.Key)] {
		return slog.String(a.Key, Redacted)
	}
	for _, g := range groups {
		if hidden[canonical(g)] {
			return slog.String(a.Key, Redacted)
		}
	}
	return a
}

// guard cleans the message, the keys and the text values of each record, so that
// both formats stay one line and show no terminal codes, and bounds their length.
type guard struct{ next slog.Handler }

// Enabled implements slog.Handler.
func (g guard) Enabled(ctx context.Context, l slog.Level) bool { return g.next.Enabled(ctx, l) }

// Handle implements slog.Handler.
func (g guard) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Clean(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(cleanAttr(a))
		return true
	})
	return g.next.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (g guard) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = cleanAttr(a)
	}
	return guard{g.next.WithAttrs(clean)}
}

// WithGroup implements slog.Handler.
func (g guard) WithGroup(name string) slog.Handler { return guard{g.next.WithGroup(Clean(name))} }

func cleanAttr(a slog.Attr) slog.Attr {
	a.Key = Clean(a.Key)
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Clean(a.Value.String()))
	case slog.KindGroup:
		members := a.Value.Group()
		clean := make([]slog.Attr, len(members))
		for i, m := range members {
			clean[i] = cleanAttr(m)
		}
		a.Value = slog.GroupValue(clean...)
	case slog.KindAny:
		switch x := a.Value.Any().(type) {
		case nil:
		case *slog.Source: // made by slog itself
		default:
			a.Value = slog.StringValue(Clean(plain(x)))
		}
	}
	return a
}

// plain writes any value as text. The fields of structs and maps would bypass the redaction by key,
// so only their type is written, unless they have a deliberate text form: errors, Stringers and
// times.
func plain(x any) (text string) {
	defer func() { // a nil pointer in an error or a Stringer
		if recover() != nil {
			text = fmt.Sprintf("(%T)", x)
		}
	}()
	switch x := x.(type) {
	case time.Time:
		return timeText(x)
	case *time.Time: // its Stringer has another format
		return timeText(*x)
	case error:
		return x.Error()
	case fmt.Stringer:
		return x.String()
	case []byte:
		return bytesText(x)
	}
	v := reflect.ValueOf(x)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return plain(v.Elem().Interface())
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return bytesText(v.Bytes())
		}
		return list(v)
	}
	if k := v.Kind(); k == reflect.String || (reflect.Bool <= k && k <= reflect.Float64) {
		return fmt.Sprint(x)
	}
	return fmt.Sprintf("(%T)", x)
}

// list writes the first values of a slice or an array.
func list(v reflect.Value) string {
	const most = 100
	parts := make([]string, 0, min(v.Len(), most+1))
	for i := range min(v.Len(), most) {
		parts = append(parts, plain(v.Index(i).Interface()))
	}
	if v.Len() > most {
		parts = append(parts, fmt.Sprintf("and %d more", v.Len()-most))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// bytesText writes bytes as text if they are valid text, or else in hexadecimal.
func bytesText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	const most = 64
	text := hex.EncodeToString(b[:min(len(b), most)])
	if len(b) > most {
		text += fmt.Sprintf(" and %d bytes more", len(b)-most)
	}
	return text
}

// maxText bounds each text in a record, in bytes.
const maxText = 8 << 10

// Clean makes a text harmless: characters that a terminal or a log viewer could act on (control
// characters, reordering marks) become U+FFFD, and the text is cut at 8 KiB. Newlines and tabs
// stay, because both formats escape them.
func Clean(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + " [cut]"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
