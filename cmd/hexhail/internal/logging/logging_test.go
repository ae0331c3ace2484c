package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

type person struct{ FirstName, Phone string }

type hiddenName string

func (hiddenName) LogValue() slog.Value { return slog.StringValue("someone") }

// both runs a test in both formats; out receives what is written.
func both(t *testing.T, f func(t *testing.T, log *slog.Logger, out *bytes.Buffer)) {
	t.Helper()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log, err := New(&out, format, "info")
			require.NoError(t, err)
			f(t, log, &out)
		})
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	const secret = "hunter2"
	both(t, func(t *testing.T, log *slog.Logger, out *bytes.Buffer) {
		for key := range hidden {
			log.Info("m", key, secret)
		}
		log.Info("m", "Access_Token", secret, "firstName", secret, "X", slog.GroupValue(slog.String("password", secret)))
		log.Info("m", slog.Group("position", slog.String("a", secret), slog.Group("b", slog.String("c", secret))))
		log.With("token", secret).WithGroup("rider").Info("m", "phone", secret)
		log.WithGroup("pickup").Info("m", "anything", secret)
		log.Info("m", "rider", person{secret, secret}, "map", map[string]string{"x": secret}, "ptr", &person{secret, secret})
		log.Info("m", "rider", []person{{secret, secret}}, "v", hiddenName(secret))
		require.NotContains(t, out.String(), secret)
		require.Contains(t, out.String(), Redacted)
		require.Contains(t, out.String(), "someone")
	})
}

func TestLinesCannotBeInjected(t *testing.T) {
	const nasty = "a\nlevel=ERROR msg=forged\r\n{\"level\":\"ERROR\"}\x1b[2J\u009b31m\u2028\u202eevil\x00\xff\x7f"
	both(t, func(t *testing.T, log *slog.Logger, out *bytes.Buffer) {
		log.Info(nasty, nasty, nasty)
		log.Info("m", "error", errors.New(nasty), "list", []string{nasty}, slog.Group(nasty, slog.String(nasty, nasty)))
		log.With(nasty, nasty).WithGroup(nasty).Info(nasty, "k", nasty)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		require.Len(t, lines, 3)
		for _, line := range lines {
			require.NotContains(t, line, "level=ERROR msg=forged\n")
			for _, r := range line {
				require.False(t, unicode.IsControl(r) || r == '\u2028' || r == '\u202e', "%q in %q", r, line)
			}
		}
	})
}

func TestPlainValuesStayReadable(t *testing.T) {
	type level int
	both(t, func(t *testing.T, log *slog.Logger, out *bytes.Buffer) {
		log.Debug("not shown")
		log.Info("trip matched", "trip", "t1", "drivers", []int{1, 2}, "level", level(3), "error", errors.New("no luck"), "none", nil)
		s := out.String()
		require.NotContains(t, s, "not shown")
		for _, want := range []string{"trip matched", "t1", "[1 2]", "no luck"} {
			require.Contains(t, s, want)
		}
	})
}

func TestJSONIsJSON(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "json", "debug")
	require.NoError(t, err)
	log.Debug("m", "k", "a\nb")
	var m map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &m))
	require.Equal(t, "a\nb", m["k"])
	require.Equal(t, "DEBUG", m["level"])
}

func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("é", maxText)
	require.LessOrEqual(t, len(Clean(long)), maxText+len(" [cut]"))
	require.True(t, strings.HasSuffix(Clean(long), "é [cut]"))
}

func TestUnknownFormatAndLevelAreErrors(t *testing.T) {
	_, err := New(nil, "xml", "info")
	require.ErrorContains(t, err, "xml")
	_, err = New(nil, "text", "loud")
	require.ErrorContains(t, err, "loud")
}

type span time.Duration

func (s span) String() string { return "for " + time.Duration(s).String() }

type broken struct{}

func (*broken) Error() string { return (*new(*strings.Builder)).String() }

// Values are readable text, however they are logged: directly, in groups, from a derived logger, in
// lists, behind pointers.
func TestValuesAreTextInBothFormats(t *testing.T) {
	took, at := 1500*time.Millisecond, time.Date(2026, 11, 29, 9, 30, 0, 250e6, time.FixedZone("KST", 9*3600))
	both(t, func(t *testing.T, log *slog.Logger, out *bytes.Buffer) {
		for _, x := range []struct {
			value any
			want  string
		}{
			{took, "1.5s"}, {&took, "1.5s"}, {[]time.Duration{took, time.Minute}, "[1.5s 1m0s]"}, {time.Duration(0), "0s"},
			{span(took), "for 1.5s"}, {slog.DurationValue(took), "1.5s"},
			{at, "2026-11-29T00:30:00.25Z"}, {&at, "2026-11-29T00:30:00.25Z"}, {[]time.Time{at}, "[2026-11-29T00:30:00.25Z]"},
			{errors.Join(errors.New("first"), errors.New("second")), "first\nsecond"},
			{[]error{errors.New("one"), nil}, "[one (<nil>)]"}, {(*broken)(nil), "(*logging.broken)"},
			{[]byte("text"), "text"}, {json.RawMessage(`{}`), "{}"}, {[]byte{0xff, 0x00, 0xfe}, "ff00fe"},
			{netip.MustParseAddr("192.0.2.1"), "192.0.2.1"}, {math.NaN(), "NaN"}, {math.Inf(1), "+Inf"},
		} {
			out.Reset()
			log.Info("m", "v", x.value)
			log.Info("m", slog.Group("g", slog.Any("v", x.value)))
			log.With("v", x.value).Info("m")
			log.WithGroup("g").With("v", x.value).Info("m")
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			require.Len(t, lines, 4)
			for _, line := range lines {
				require.Equal(t, x.want, valueIn(t, line), line)
			}
		}
		out.Reset()
		log.Info("m", "all", make([]int, 1000))
		require.Contains(t, out.String(), "and 900 more")
	})
}

// valueIn reads the text of v, or of v in the group g, from a line.
func valueIn(t *testing.T, line string) string {
	t.Helper()
	if !strings.HasPrefix(line, "{") {
		_, text, ok := strings.Cut(line, "v=")
		require.True(t, ok, line)
		if unquoted, err := strconv.Unquote(text); err == nil {
			return unquoted
		}
		return text
	}
	var record struct {
		V any
		G struct{ V any }
	}
	require.NoError(t, json.Unmarshal([]byte(line), &record))
	if record.V == nil {
		record.V = record.G.V
	}
	require.IsType(t, "", record.V, line)
	return record.V.(string)
}
