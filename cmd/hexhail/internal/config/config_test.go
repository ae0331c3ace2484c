package config

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// parse runs the whole way of a configuration: command line, environment, file.
func parse(t *testing.T, args []string, env map[string]string) (*Config, *Source, error) {
	t.Helper()
	src := NewSource(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	var grammar struct {
		Config `embed:""`
	}
	k, err := kong.New(&grammar, src.Options()...)
	require.NoError(t, err)
	if _, err := k.Parse(args); err != nil {
		return &grammar.Config, src, err
	}
	return &grammar.Config, src, src.Complete(&grammar.Config)
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hexhail.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestDefaultsAreTheDomainsOwn(t *testing.T) {
	c, _, err := parse(t, nil, nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(ride.DefaultRules(), c.Rules(c.Tariffs[0])))
	require.Empty(t, cmp.Diff(ride.DefaultTariffs(), c.Tariffs))
	require.Equal(t, "hexhail-data/hexhail.db", c.DatabasePath())
	require.Equal(t, "hexhail-data/signing-key.pem", c.SigningKeyPath())
	require.Equal(t, "hexhail", c.TokenIssuer())
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	path := writeFile(t, "dispatch-cap: 10\ndispatch-ring-max: 9\nposition-ttl: 20s\n")
	env := map[string]string{"HEXHAIL_CONFIG": path, "HEXHAIL_DISPATCH_CAP": "11", "HEXHAIL_DISPATCH_RING_MAX": "8"}
	c, src, err := parse(t, []string{"--dispatch-cap=12"}, env)
	require.NoError(t, err)
	require.Equal(t, 12, c.Dispatch.Cap)
	require.Equal(t, 8, c.Dispatch.RingMax)
	require.Equal(t, 20*time.Second, c.Map.PositionTTL)
	require.Equal(t, 1, c.Dispatch.RingStart)
	for key, want := range map[string]Origin{
		"dispatch-cap": FromFlag, "dispatch-ring-max": FromEnv, "position-ttl": FromFile, "dispatch-ring-start": FromDefault,
	} {
		require.Equal(t, want, src.Origin(key), key)
	}
}

func TestListsAndStructuredSettings(t *testing.T) {
	path := writeFile(t, `
allowed-origins: [https://a.example, "https://b.example:8443"]
trusted-proxies: ["10.0.0.0/8", "fd00::/8"]
trip-pin: true
tariffs:
  - {class: tuk, currency: INR, base: 3000, per_km: 1500, per_minute: 100, minimum: 4000, seats: 3}
outside-issuers:
  - {issuer: "https://login.example", audience: rides, jwks-url: "https://login.example/keys", algorithm: ES256, create-accounts: true}
`)
	c, src, err := parse(t, []string{"--config", path}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"https://a.example", "https://b.example:8443"}, c.HTTP.AllowedOrigins)
	require.Len(t, c.HTTP.TrustedProxies, 2)
	require.True(t, c.Trip.PIN)
	require.Equal(t, ride.Tariffs{{Class: "tuk", Currency: "INR", Base: 3000, PerKm: 1500, PerMinute: 100, Minimum: 4000, Seats: 3}}, c.Tariffs)
	require.True(t, c.OutsideIssuers[0].CreateAccounts)
	require.Equal(t, FromFile, src.Origin("tariffs"))

	c, _, err = parse(t, nil, map[string]string{"HEXHAIL_ALLOWED_ORIGINS": "https://a.example,https://c.example"})
	require.NoError(t, err)
	require.Equal(t, []string{"https://a.example", "https://c.example"}, c.HTTP.AllowedOrigins)
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	path := writeFile(t, `dispatch-cap: many
position_ttl: 15s
log-level: loud
dispatch-cap: 3
listen: {port: 1}
ops-listen:
trusted-proxies: [10.0.0.1]
tariffs:
  - {class: a, curency: USD}
`)
	_, _, err := parse(t, []string{"--config", path, "--socket-max=0"}, map[string]string{
		"HEXHAIL_TRIP_SEARCH_FOR": "120", "HEXHAIL_DATABASE_URL": "mysql://root:hunter2@db/x", "HEXHAIL_PUBLIC_URL": "rides.example/",
		"HEXHAIL_ALLOWED_ORIGINS": "https://A.example/x", "HEXHAIL_TLS_CERT": "cert.pem",
		"HEXHAIL_MAP_STYLE_URL": "style.json", "HEXHAIL_MAP_PMTILES_URL": "file:///city.pmtiles",
		"HEXHAIL_ROUTE_URL":    "tcp://root:hunter2@osrm",
		"HEXHAIL_GEOCODER_URL": "https://me:secret@photon.example", "HEXHAIL_MAP_HOSTS": "https://tiles.example/path",
	})
	var got Problems
	require.ErrorAs(t, err, &got)
	var keys []string
	for _, p := range got {
		keys = append(keys, p.Key)
	}
	require.ElementsMatch(t, []string{
		"dispatch-cap", "dispatch-cap", // not a number, and there twice
		"position_ttl", "log-level", "listen", "ops-listen", "trusted-proxies", "tariffs", "trip-search-for",
		"socket-max", "database-url", "public-url", "allowed-origins", "tls-key",
		"map-style-url", "map-pmtiles-url", "geocoder-url", "map-hosts", "route-url",
	}, keys, "%s", err)
	require.Contains(t, err.Error(), "but there is position-ttl ("+path+":2)")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestRangesHoldAtBothEnds(t *testing.T) {
	for _, c := range []struct {
		flag string
		ok   bool
	}{
		{"--dispatch-cap=1", true}, {"--dispatch-cap=0", false}, {"--dispatch-cap=500", true}, {"--dispatch-cap=501", false},
		{"--position-ttl=3s", true}, {"--position-ttl=2999ms", false}, {"--position-ttl=5m", true}, {"--position-ttl=5m1ms", false},
		{"--route-url=http://10.0.0.7:5000/maps?key=k", true}, {"--route-url=http://", false}, {"--route-url=https://a/#b", false},
		{"--route-engine=valhalla", true}, {"--route-engine=google", false},
		{"--eta-speed=1", true}, {"--eta-speed=0.9", false}, {"--eta-speed=NaN", false}, {"--eta-speed=Inf", false},
		{"--dispatch-ring-start=7", false},                                                                             // above ring-max
		{"--dispatch-policy=batch", true}, {"--dispatch-window=499ms", false}, {"--dispatch-zone-resolution=9", false}, // finer than cells
		{"--listen=:0", true}, {"--listen=8080", false}, {"--listen=x:http", false}, {"--listen=127.0.0.1:9090", false},
		{"--data-dir=", false}, {"--allowed-origins=*", false}, {"--no-sign-up", true}, {"--token-audience=", false},
	} {
		_, _, err := parse(t, []string{c.flag}, nil)
		require.Equal(t, c.ok, err == nil, "%s: %v", c.flag, err)
	}
}

func TestOutsideIssuersAreChecked(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	for name, c := range map[string]struct {
		yaml string
		want string // empty: fine
	}{
		"keys":           {`{issuer: i, audience: a, jwks-url: "https://x/k", algorithm: RS256}`, ""},
		"secret":         {`{issuer: i, audience: a, shared-secret: ` + secret + `, algorithm: HS256}`, ""},
		"local keys":     {`{issuer: i, audience: a, jwks-url: "http://127.0.0.1:1/k", algorithm: RS256}`, ""},
		"no audience":    {`{issuer: i, jwks-url: "https://x/k", algorithm: RS256}`, "needs an issuer and an audience"},
		"neither":        {`{issuer: i, audience: a, algorithm: RS256}`, "either a jwks-url or a shared-secret"},
		"both":           {`{issuer: i, audience: a, jwks-url: "https://x/k", shared-secret: ` + secret + `}`, "either a jwks-url or"},
		"plain http":     {`{issuer: i, audience: a, jwks-url: "http://x/k", algorithm: RS256}`, "https URL"},
		"short secret":   {`{issuer: i, audience: a, shared-secret: short, algorithm: HS256}`, "at least 32 bytes"},
		"confusion":      {`{issuer: i, audience: a, jwks-url: "https://x/k", algorithm: HS256}`, "algorithm must be one of RS256"},
		"none":           {`{issuer: i, audience: a, shared-secret: ` + secret + `, algorithm: none}`, "algorithm must be one of HS256"},
		"strange role":   {`{issuer: i, audience: a, jwks-url: "https://x/k", algorithm: RS256, roles: [rider, king]}`, `unknown role "king"`},
		"unknown key":    {`{issuer: i, audience: a, jwks: "https://x/k"}`, "field jwks not found"},
		"one name twice": {`{issuer: i, audience: a, jwks-url: "https://x/k", algorithm: RS256}` + "\n  - " + `{issuer: i, audience: b, jwks-url: "https://x/k", algorithm: RS256}`, "listed twice"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "outside-issuers:\n  - "+c.yaml+"\n")
			_, _, err := parse(t, []string{"--config", path}, nil)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	for name, path := range map[string]string{
		"missing":       filepath.Join(t.TempDir(), "none.yaml"),
		"broken":        writeFile(t, "a: [b"),
		"list":          writeFile(t, "- a"),
		"two documents": writeFile(t, "log-level: info\n---\nlog-level: warn\n"),
		"too large":     writeFile(t, "# "+string(bytes.Repeat([]byte("x"), maxFile))),
	} {
		_, _, err := parse(t, []string{"--config", path}, nil)
		require.ErrorContains(t, err, "configuration file", name)
	}
	for _, empty := range []string{"", "# nothing\n", "---\n"} {
		_, _, err := parse(t, []string{"--config", writeFile(t, empty)}, nil)
		require.NoError(t, err, "%q", empty)
	}
}

func TestHome(t *testing.T) {
	for text, want := range map[string]Home{
		"37.5665,126.978":      {37.5665, 126.978, 12},
		" -33.87 , 151.21 ,14": {-33.87, 151.21, 14},
		"0,0,3":                {0, 0, 3},
		"":                     {},
	} {
		c, src, err := parse(t, nil, map[string]string{"HEXHAIL_HOME": text})
		require.NoError(t, err, text)
		require.Equal(t, want, c.Web.Home, text)
		var shown bytes.Buffer
		require.NoError(t, src.Show(&shown, c))
		again, _, err := parse(t, []string{"--config", writeFile(t, shown.String())}, nil)
		require.NoError(t, err, "%s", shown.String())
		require.Equal(t, want, again.Web.Home)
	}
	for _, bad := range []string{"37.5", "86,0", "0,181", "1,2,0", "1,2,19", "1,2,3,4", "a,b", "NaN,1", "1,Inf", "1;2"} {
		_, _, err := parse(t, nil, map[string]string{"HEXHAIL_HOME": bad})
		require.ErrorContains(t, err, "home: must be latitude, longitude", bad)
	}
}

func TestTimeZone(t *testing.T) {
	for text, want := range map[string]string{"": "UTC", "UTC": "UTC", "Asia/Seoul": "Asia/Seoul", "America/New_York": "America/New_York"} {
		c, src, err := parse(t, nil, map[string]string{"HEXHAIL_TIME_ZONE": text})
		require.NoError(t, err, text)
		require.Equal(t, want, c.Map.TimeZone.Location().String())
		var shown bytes.Buffer
		require.NoError(t, src.Show(&shown, c))
		again, _, err := parse(t, []string{"--config", writeFile(t, shown.String())}, nil)
		require.NoError(t, err, "%s", shown.String())
		require.Equal(t, want, again.Map.TimeZone.String())
	}
	for _, bad := range []string{"Local", "Seoul", "KST-9", "../etc/passwd", "Asia/Seoul "} {
		_, _, err := parse(t, nil, map[string]string{"HEXHAIL_TIME_ZONE": bad})
		require.ErrorContains(t, err, "time-zone: must be the IANA name of a time zone, such as Asia/Seoul", bad)
	}
}

func TestSupportContact(t *testing.T) {
	c, _, err := parse(t, []string{"--support-contact=+82 2 555 0100"}, nil)
	require.NoError(t, err)
	require.Equal(t, "+82 2 555 0100", c.Web.SupportContact)
	for _, bad := range []string{"two\nlines", strings.Repeat("x", 201)} {
		_, _, err := parse(t, []string{"--support-contact=" + bad}, nil)
		require.ErrorContains(t, err, "support-contact: must be one line")
	}
}

func TestSecurityContact(t *testing.T) {
	for _, good := range []string{"mailto:security@rides.example.org", "https://rides.example.org/security", "tel:+82-2-555-0100"} {
		c, _, err := parse(t, []string{"--security-contact=" + good}, nil)
		require.NoError(t, err)
		require.Equal(t, good, c.HTTP.SecurityContact)
	}
	for _, bad := range []string{"security@rides.example.org", "http://rides.example.org", "https://", "mailto:", "mailto:a\nContact: b"} {
		_, _, err := parse(t, []string{"--security-contact=" + bad}, nil)
		require.ErrorContains(t, err, "security-contact: must be a mailto:, https: or tel: address", bad)
	}
}

func TestShowIsAFileThatGivesTheSameAndNoSecret(t *testing.T) {
	first := writeFile(t, "allowed-origins: [\"http://localhost:5173\"]\ntrusted-proxies: [10.0.0.0/8]\ntoken-issuer: 'a: b # c'\ntrip-pin: true\n")
	c, src, err := parse(t, []string{"--config", first, "--position-ttl=21s"}, nil)
	require.NoError(t, err)
	var shown bytes.Buffer
	require.NoError(t, src.Show(&shown, c))
	require.Contains(t, shown.String(), "position-ttl: 21s  # flag\n")

	again, _, err := parse(t, []string{"--config", writeFile(t, shown.String())}, nil)
	require.NoError(t, err, "%s", shown.String())
	again.File = c.File
	require.Empty(t, cmp.Diff(c, again, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{})))

	c, src, err = parse(t, nil, map[string]string{
		"HEXHAIL_DATABASE_URL": "postgres://hex:hunter2@db:5432/hex?password=hunter3", "HEXHAIL_ROUTE_URL": "https://city:hunter5@routes.example/?key=hunter6",
	})
	require.NoError(t, err)
	c.OutsideIssuers = []OutsideIssuer{{Issuer: "i", SharedSecret: "hunter4"}}
	shown.Reset()
	require.NoError(t, src.Show(&shown, c))
	require.NotContains(t, shown.String(), "hunter")
	require.Contains(t, shown.String(), "db:5432")
}

func TestReferencePageIsUpToDate(t *testing.T) {
	want, err := Reference()
	require.NoError(t, err)
	got, err := os.ReadFile("../../../../docs/configuration.md")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run: go generate ./cmd/...")
}

func TestEverySettingIsDocumentedAndBounded(t *testing.T) {
	fields, err := settings()
	require.NoError(t, err)
	require.Len(t, flatten(reflectConfig(), nil), len(fields))
	for _, f := range fields {
		require.NotEmpty(t, f.Help, f.Name)
		require.True(t, f.Name == "config" || f.Group != nil, f.Name)
		switch f.Target.Interface().(type) {
		case int, float64, time.Duration:
			require.NotEmpty(t, f.Tag.Get("range"), f.Name)
			require.NotEmpty(t, f.Default, f.Name)
		}
	}
}

func TestSecretsHide(t *testing.T) {
	for in, want := range map[Secret]string{
		"": "", "plain": "[redacted]", "postgres://u:p@h/d": "postgres://u:redacted@h/d",
		"postgres://u@h/d?password=p#f": "postgres://u@h/d?redacted", "host=h password=p": "[redacted]", "://": "[redacted]",
	} {
		require.Equal(t, want, in.String())
		require.Equal(t, want, in.GoString())
		require.Equal(t, want, in.LogValue().String())
		text, err := in.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 2 * time.Minute: "2m", time.Hour: "1h", 90 * time.Second: "1m30s", 100 * time.Millisecond: "100ms",
		10 * time.Minute: "10m", 61 * time.Minute: "1h1m", 20 * time.Hour: "20h", time.Hour + time.Second: "1h0m1s",
	} {
		require.Equal(t, want, Duration(d))
	}
}

func reflectConfig() reflect.Value { return reflect.ValueOf(new(Config)).Elem() }
