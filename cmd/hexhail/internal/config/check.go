package config

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/hexhail/hexhail/ride"
)

// settings lists the flags of Config in order.
func settings() ([]*kong.Flag, error) {
	return settingsOf(&struct {
		Config `embed:""`
	}{})
}

func settingsOf(grammar any) ([]*kong.Flag, error) {
	k, err := kong.New(grammar)
	if err != nil {
		return nil, fmt.Errorf("parse the configuration's definition: %w", err)
	}
	var out []*kong.Flag
	for _, f := range k.Model.Flags {
		if f.Name != "help" {
			out = append(out, f)
		}
	}
	return out, nil
}

// check returns what is wrong with the values. Settings in known have a problem
// already and are not looked at again. serves says that a server is to run with them.
func (c *Config) check(fields []*kong.Flag, known Problems, serves bool) Problems {
	ck := checker{skip: known}
	ck.ranges(c, fields)
	ck.addresses(c)
	ck.tls(c)
	ck.origins("allowed-origins", c.HTTP.AllowedOrigins)
	ck.web(c.Web)
	ck.routes(c.Map.RouteURL)
	ck.traces(c.Traces)
	ck.store(c)
	ck.cluster(c, serves)
	ck.sockets(c.Sockets)
	ck.rules(c)
	ck.issuers(c.OutsideIssuers)
	return ck.found
}

type checker struct {
	skip, found Problems
}

// sockets refuses a timeout that would cut clients which answer every ping: they are
// silent between two of them, and pings come up to a fifth late.
func (ck *checker) sockets(s Sockets) {
	if s.PongTimeout < 2*s.PingInterval {
		ck.add("socket-pong-timeout", "must be at least twice socket-ping-interval (%s), not %s", s.PingInterval, s.PongTimeout)
	}
}

func (ck *checker) add(key, format string, args ...any) {
	if !slices.ContainsFunc(ck.skip, func(p Problem) bool { return p.Key == key }) {
		ck.found = append(ck.found, Problem{Key: key, Message: fmt.Sprintf(format, args...)})
	}
}

// traces checks the address of the collector.
func (ck *checker) traces(t Traces) {
	if t.URL == "" {
		return
	}
	if u, err := url.Parse(t.URL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		ck.add("traces-url", "must be an http or https URL without account, query or fragment, not %q", t.URL)
	}
}

// ranges checks the range tags. Values are found by flattening both the struct that
// kong made the fields from and c itself in the same order.
func (ck *checker) ranges(c *Config, fields []*kong.Flag) {
	values := c.values(fields)
	for _, f := range fields {
		r := f.Tag.Get("range")
		if r == "" {
			continue
		}
		low, high, _ := strings.Cut(r, "..")
		if out, err := outside(values[f.Name], low, high); err != nil {
			ck.add(f.Name, "has a range that cannot be read: %v", err)
		} else if out {
			ck.add(f.Name, "must be from %s to %s, not %s", low, high, text(values[f.Name]))
		}
	}
}

// values maps each setting to its value in c.
func (c *Config) values(fields []*kong.Flag) map[string]reflect.Value {
	leaves := flatten(reflect.ValueOf(c).Elem(), nil)
	out := make(map[string]reflect.Value, len(fields))
	for i, f := range fields {
		out[f.Name] = leaves[i]
	}
	return out
}

// flatten lists a configuration's leaves in the order of their declaration, which is
// also the order of kong's flags.
func flatten(v reflect.Value, out []reflect.Value) []reflect.Value {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if tag.Get("kong") == "-" {
			continue
		}
		if _, embedded := tag.Lookup("embed"); embedded {
			out = flatten(v.Field(i), out)
			continue
		}
		out = append(out, v.Field(i))
	}
	return out
}

// outside reports whether a number or a duration lies outside its range.
func outside(v reflect.Value, low, high string) (bool, error) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return between(x, low, high, time.ParseDuration)
	case int:
		return between(x, low, high, strconv.Atoi)
	case float64:
		// NaN lies in no range; comparing alone would let it through.
		out, err := between(x, low, high, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
		return out || math.IsNaN(x), err
	}
	return false, fmt.Errorf("%s has no range", v.Type())
}

func between[T cmp.Ordered](x T, low, high string, parse func(string) (T, error)) (bool, error) {
	lo, err := parse(low)
	if err != nil {
		return false, err
	}
	hi, err := parse(high)
	if err != nil {
		return false, err
	}
	return x < lo || x > hi, nil
}

func (ck *checker) addresses(c *Config) {
	ck.address("listen", c.HTTP.Listen)
	ck.address("ops-listen", c.Ops.Listen)
	if _, port, err := net.SplitHostPort(c.HTTP.Listen); err == nil && port != "0" && c.HTTP.Listen == c.Ops.Listen {
		ck.add("ops-listen", "must not be the clients' address")
	}
	if u := c.HTTP.PublicURL; u != "" {
		if p, err := url.Parse(u); err != nil || (p.Scheme != "https" && p.Scheme != "http") || p.Host == "" ||
			p.User != nil || p.RawQuery != "" || p.Fragment != "" || strings.HasSuffix(u, "/") {
			ck.add("public-url", "must be an http or https URL without account, query or slash at the end, not %q", u)
		}
	}
	if c := c.HTTP.SecurityContact; c != "" {
		u, err := url.Parse(c)
		if err != nil || !slices.Contains([]string{"mailto", "https", "tel"}, u.Scheme) || u.Host == "" && u.Opaque == "" {
			ck.add("security-contact", "must be a mailto:, https: or tel: address, such as mailto:security@rides.example.org, not %q", c)
		}
	}
}

func (ck *checker) address(key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		ck.add(key, "must be HOST:PORT, not %q", addr)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		ck.add(key, "the port must be a number from 0 to 65535, not %q", port)
	}
}

// web refuses what the pages' Content-Security-Policy could not name.
func (ck *checker) web(w Web) {
	for _, s := range []struct{ key, value string }{
		{"map-style-url", w.MapStyleURL}, {"map-pmtiles-url", w.MapPMTilesURL}, {"geocoder-url", w.GeocoderURL},
	} {
		if u, err := url.Parse(s.value); s.value != "" && (err != nil || (u.Scheme != "https" && u.Scheme != "http") ||
			u.Host == "" || u.User != nil || u.Fragment != "") {
			ck.add(s.key, "must be an http or https URL without account, not %q", s.value)
		}
	}
	ck.origins("map-hosts", w.MapHosts)
	if c := w.SupportContact; len(c) > 200 || strings.ContainsFunc(c, unicode.IsControl) {
		ck.add("support-contact", "must be one line of at most 200 bytes")
	}
}

// routes checks the address of the server of routes. It may contain a secret, and is not shown.
func (ck *checker) routes(address Secret) {
	u, err := url.Parse(address.Reveal())
	if address != "" && (err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.Fragment != "") {
		ck.add("route-url", "must be an http or https URL without fragment")
	}
}

func (ck *checker) origins(key string, origins []string) {
	for _, o := range origins {
		if u, err := url.Parse(o); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" ||
			u.Scheme+"://"+u.Host != o || o != strings.ToLower(o) {
			ck.add(key, "must be scheme and host in lower case, such as https://app.example.org, not %q", o)
		}
	}
}

func (ck *checker) store(c *Config) {
	for key, keep := range map[string]time.Duration{
		"keep-trips": c.Store.KeepTrips, "keep-trip-events": c.Store.KeepTripEvents, "keep-audit": c.Store.KeepAudit,
	} {
		if keep > 0 && keep < 24*time.Hour {
			ck.add(key, "must be 0s, for ever, or at least 24h")
		}
	}
	if c.Store.DataDir == "" {
		ck.add("data-dir", "must not be empty")
	}
	if c.Auth.TokenAudience == "" {
		ck.add("token-audience", "must not be empty")
	}
	for key, dsn := range map[string]string{
		"database-url": c.Store.DatabaseURL.Reveal(), "database-direct-url": c.Store.DatabaseDirect.Reveal(),
	} {
		// The error of url.Parse repeats the URL, so it is not shown.
		if u, err := url.Parse(dsn); dsn != "" && (err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql")) {
			ck.add(key, "must begin with postgres:// and be a well-formed URL")
		}
	}
	if c.Store.DatabaseDirect.Reveal() != "" && c.Store.DatabaseURL.Reveal() == "" {
		ck.add("database-direct-url", "needs a database-url that leads to a connection pooler, and none is set")
	}
}

// rules lets the domain check combinations of values, once each value alone is valid.
func (ck *checker) rules(c *Config) {
	if err := c.Tariffs.Validate(); err != nil {
		ck.add("tariffs", "%s", err)
	}
	all := append(slices.Clone(ck.skip), ck.found...)
	if all.mention("dispatch-") || all.mention("trip-") || all.mention("tariffs") {
		return
	}
	if err := c.Rules(c.Tariffs[0]).Validate(); err != nil {
		ck.add("dispatch-policy", "%s", err)
	}
	if c.Dispatch.Zone > c.Map.H3Resolution {
		ck.add("dispatch-zone-resolution", "must be at most h3-resolution, which is %d: a zone is made of cells", c.Map.H3Resolution)
	}
	if most := c.Dispatch.MaxETA; c.Dispatch.Policy == string(ride.PolicyBatch) && (most < 30*time.Second || most > time.Hour) {
		ck.add("dispatch-max-eta", "must be from 30s to 1h under batch")
	}
}

// algorithms are the signatures that an outside issuer may use, by kind of key.
var algorithms = struct{ keys, secret []string }{
	keys:   []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"},
	secret: []string{"HS256"},
}

func (ck *checker) issuers(list []OutsideIssuer) {
	seen := make(map[string]bool, len(list))
	for i := range list {
		ck.issuer(&list[i], seen)
	}
}

// issuer checks one outside issuer.
func (ck *checker) issuer(o *OutsideIssuer, seen map[string]bool) {
	const key = "outside-issuers"
	if o.Issuer == "" || o.Audience == "" {
		ck.add(key, "each needs an issuer and an audience")
		return
	}
	if seen[o.Issuer] {
		ck.add(key, "%q is listed twice", o.Issuer)
	}
	seen[o.Issuer] = true
	allowed := algorithms.keys
	switch {
	case (o.JWKSURL == "") == (o.SharedSecret == ""):
		ck.add(key, "%q needs either a jwks-url or a shared-secret", o.Issuer)
		return
	case o.SharedSecret != "":
		allowed = algorithms.secret
		if len(o.SharedSecret) < 32 {
			ck.add(key, "%q: the shared-secret must have at least 32 bytes", o.Issuer)
		}
	default:
		if u, err := url.Parse(o.JWKSURL); err != nil || u.Host == "" || (u.Scheme != "https" && !loopbackURL(u)) {
			ck.add(key, "%q: the jwks-url must be an https URL", o.Issuer)
		}
	}
	for _, r := range o.Roles {
		if !r.Valid() {
			ck.add(key, "%q: unknown role %q", o.Issuer, r)
		}
	}
	if !slices.Contains(allowed, o.Algorithm) {
		ck.add(key, "%q: the algorithm must be one of %s", o.Issuer, strings.Join(allowed, ", "))
	}
}

// loopbackURL allows plain http to this machine, for trying things out.
func loopbackURL(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback()))
}

// text is a value as an operator would write it.
func text(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		return Duration(d)
	}
	return fmt.Sprint(v.Interface())
}

// Duration writes a duration without needless zeros: 2m and not 2m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Names lists all settings that can be flags, in the order of the manual.
func Names() ([]string, error) {
	fields, err := settings()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names, nil
}
