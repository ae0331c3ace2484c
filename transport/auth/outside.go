package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// OutsideIssuer is another service whose tokens are accepted, such as an operator's own sign-in.
type OutsideIssuer struct {
	// Issuer is the exact "iss" of its tokens.
	Issuer string
	// JWKSURL is where its public keys are, https (or http to loopback). Either this
	// or Secret.
	JWKSURL string
	// Secret is a key shared with the issuer, 32 bytes or more: algorithm HS256.
	Secret []byte
	// Audience is the "aud" that its tokens must hold.
	Audience string
	// Algorithms pins what signs them under JWKSURL: RS256 by default; of RS256,
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA.
	Algorithms []string
	// RoleClaim is where the role is, "role" by default; dots lead into objects. It
	// holds one of our roles, or a list with exactly one of them.
	RoleClaim string
	// Roles are those that it may vouch for: rider and driver by default. It makes
	// operators only when operator is listed here.
	Roles []ride.Role
	// AllowCreate makes an account when a stranger connects for the first time.
	AllowCreate bool
	// Client fetches the keys; one with a timeout, a size limit and no redirects by
	// default.
	Client *http.Client
}

// outsideIssuer verifies the tokens of one outside issuer.
type outsideIssuer struct {
	cfg    OutsideIssuer
	parser *jwt.Parser
	keys   func(context.Context) jwt.Keyfunc
}

var asymmetric = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

func validateOutside(own string, list []OutsideIssuer) error {
	seen := map[string]bool{own: true}
	for _, o := range list {
		if err := o.validate(); err != nil {
			return fmt.Errorf("%w: outside issuer %q: %w", ErrConfig, o.Issuer, err)
		}
		if seen[o.Issuer] {
			return fmt.Errorf("%w: issuer %q is named twice", ErrConfig, o.Issuer)
		}
		seen[o.Issuer] = true
	}
	return nil
}

func (o OutsideIssuer) validate() error {
	switch {
	case o.Issuer == "" || o.Audience == "":
		return errors.New("needs an issuer and an audience")
	case (o.JWKSURL == "") == (len(o.Secret) == 0):
		return errors.New("needs either a JWKS URL or a shared secret")
	case o.JWKSURL == "" && len(o.Secret) < 32:
		return errors.New("a shared secret has 32 bytes or more")
	case o.JWKSURL == "" && len(o.Algorithms) > 0 && !slices.Equal(o.Algorithms, []string{"HS256"}):
		return errors.New("a shared secret goes with HS256 alone")
	}
	for _, r := range o.Roles {
		if !r.Valid() {
			return fmt.Errorf("unknown role %q", r)
		}
	}
	if o.JWKSURL == "" {
		return nil
	}
	for _, a := range o.Algorithms {
		if !slices.Contains(asymmetric, a) {
			return fmt.Errorf("algorithm %q does not go with a JWKS URL", a)
		}
	}
	u, err := url.Parse(o.JWKSURL)
	if err != nil {
		return err
	}
	loopback := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return errors.New("the JWKS URL must be https")
	}
	return nil
}

func newOutsideIssuer(ctx context.Context, cfg Config, o OutsideIssuer) (*outsideIssuer, error) {
	o.RoleClaim = cmp.Or(o.RoleClaim, "role")
	if len(o.Roles) == 0 {
		o.Roles = []ride.Role{ride.RoleRider, ride.RoleDriver}
	}
	if o.JWKSURL == "" {
		return &outsideIssuer{
			cfg:    o,
			parser: strictParser(cfg, o.Issuer, o.Audience, jwt.SigningMethodHS256.Alg()),
			keys: func(context.Context) jwt.Keyfunc {
				return func(*jwt.Token) (any, error) { return o.Secret, nil }
			},
		}, nil
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{"RS256"}
	}
	kf, err := newJWKS(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("outside issuer %q: %w", o.Issuer, err)
	}
	return &outsideIssuer{
		cfg: o, parser: strictParser(cfg, o.Issuer, o.Audience, o.Algorithms...), keys: kf.KeyfuncCtx,
	}, nil
}

// newJWKS fetches keys now (a failure is not final), every hour, and when a token
// names an unknown key: at most once a minute for all clients together; until then other
// unknown keys are refused at once.
func newJWKS(ctx context.Context, o OutsideIssuer) (keyfunc.Keyfunc, error) {
	client := o.Client
	if client == nil {
		client = &http.Client{
			Transport: limitBody{&http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("a JWKS URL must not redirect")
			},
		}
	}
	lenient := true
	return keyfunc.NewDefaultOverrideCtx(ctx, []string{o.JWKSURL}, keyfunc.Override{
		Client: client, HTTPTimeout: 5 * time.Second, NoErrorReturnFirstHTTPReq: &lenient,
		RefreshInterval: time.Hour, RefreshUnknownKID: rate.NewLimiter(rate.Every(time.Minute), 1),
		RateLimitWaitMax: 5 * time.Second,
	})
}

// limitBody keeps an outside server from filling our memory.
type limitBody struct{ next http.RoundTripper }

func (l limitBody) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, 1<<20), resp.Body}
	return resp, nil
}

// verify returns the claims of a token that counts.
func (o *outsideIssuer) verify(ctx context.Context, token string) (jwt.MapClaims, error) {
	m := jwt.MapClaims{}
	keys := o.keys(ctx)
	_, err := o.parser.ParseWithClaims(token, m, func(tok *jwt.Token) (any, error) {
		if err := checkHeader(tok); err != nil {
			return nil, err
		}
		if kid, _ := tok.Header[jwkset.HeaderKID].(string); o.cfg.JWKSURL != "" && (kid == "" || len(kid) > 256) {
			return nil, fmt.Errorf("%w: kid", jwt.ErrTokenUnverifiable)
		}
		return keys(tok)
	})
	if err != nil {
		return nil, err
	}
	if sub, err := m.GetSubject(); err != nil || sub == "" || len(sub) > 255 || !cleanText(sub) {
		return nil, fmt.Errorf("%w: sub", jwt.ErrTokenRequiredClaimMissing)
	}
	return m, nil
}

// role reads the role claim; empty when it does not hold exactly one allowed role.
func (o *outsideIssuer) role(m jwt.MapClaims) ride.Role {
	v, ok := m[o.cfg.RoleClaim] // a name may be a URL, dots and all
	if !ok {
		v = map[string]any(m)
		for _, name := range strings.Split(o.cfg.RoleClaim, ".") {
			obj, _ := v.(map[string]any)
			v = obj[name]
		}
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var found ride.Role
	for _, v := range list {
		s, _ := v.(string)
		if r := ride.Role(s); r.Valid() {
			if found != "" && found != r {
				return ""
			}
			found = r
		}
	}
	if !slices.Contains(o.cfg.Roles, found) {
		return ""
	}
	return found
}

func (s *Service) authenticateOutside(ctx context.Context, issuer, token string) (transport.Principal, error) {
	o, ok := s.outside[issuer]
	if !ok {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	m, err := o.verify(ctx, token)
	if err != nil {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	role := o.role(m)
	if role == "" {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	issued, expires := s.lifeOf(m)
	if !s.shortEnough(issuer, issued, expires) {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	subject, _ := m.GetSubject()
	a, err := s.accounts.AccountBySubject(ctx, issuer, subject)
	if errors.Is(err, ride.ErrNotFound) && o.cfg.AllowCreate {
		if err := s.notErased(ctx, issuer, subject, issued); err != nil {
			return transport.Principal{}, err
		}
		a, err = s.createOutside(ctx, issuer, subject, role, m)
	}
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return transport.Principal{}, ride.ErrUnauthenticated
	case err != nil:
		return transport.Principal{}, fmt.Errorf("account of outside issuer: %w", err)
	case a.Status != ride.AccountActive:
		return transport.Principal{}, ride.ErrSuspended
	case a.Role != role:
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	p := transport.Principal{Account: a, IssuedAt: issued, ExpiresAt: expires}
	if LoggedOut(p) {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	s.early.saw(a.ID, issued, s.cfg.Now())
	return p, nil
}

// lifeOf returns when a verified token was made, zero if it does not say, and when it ends.
func (s *Service) lifeOf(m jwt.MapClaims) (issued, expires time.Time) {
	switch iat, err := m.GetIssuedAt(); {
	case err == nil && iat != nil:
		issued = iat.Time
	case m["iat"] != nil: // the library takes 0 for none
		issued = time.Unix(0, 0)
	}
	exp, _ := m.GetExpirationTime() // required by the parser
	return issued, exp.Time
}

// shortEnough tells whether a token lives no longer than is allowed. An issuer whose tokens do
// not is a matter of settings, which its operator can only learn from the log.
func (s *Service) shortEnough(issuer string, issued, expires time.Time) bool {
	from := issued
	if from.IsZero() {
		from = s.cfg.Now()
	}
	life := expires.Sub(from)
	if life <= s.cfg.OutsideTTL {
		return true
	}
	s.cfg.Log.Warn("refused a token of an outside issuer that lives longer than outside-token-ttl",
		"issuer", issuer, "life", life, "longest", s.cfg.OutsideTTL)
	return false
}

// LoggedOut tells whether an outside issuer's token is from before its account's last log-out.
// One that does not say when it was made is, once there was a log-out.
func LoggedOut(p transport.Principal) bool {
	from := p.Account.TokensFrom
	return p.Account.Issuer != "" && !from.IsZero() && !p.IssuedAt.After(from)
}

// notErased refuses a token that was made before its account was erased: an app that still holds
// it must not bring the account back. A later log-in makes a new one.
func (s *Service) notErased(ctx context.Context, issuer, subject string, issued time.Time) error {
	at, err := s.accounts.ErasedAt(ctx, issuer, subject)
	switch {
	case err != nil:
		return fmt.Errorf("look for an erased account: %w", err)
	// The issuer's clock may be ahead of ours.
	case !at.IsZero() && !issued.After(at.Add(s.cfg.Leeway)):
		return ride.ErrUnauthenticated
	}
	return nil
}

// createOutside makes an account for a stranger. Its username ends in a part of a
// hash of (issuer, subject), so that it cannot take an existing name.
func (s *Service) createOutside(ctx context.Context, issuer, subject string, role ride.Role, m jwt.MapClaims) (ride.Account, error) {
	a, err := newAccount(s.cfg.Now())
	if err != nil {
		return ride.Account{}, err
	}
	a.Role, a.Issuer, a.Subject = role, issuer, subject
	a.FirstName = nameClaim(m, "given_name", "name", "preferred_username")
	a.LastName = nameClaim(m, "family_name")
	a.Username = outsideUsername(m, issuer, subject)
	if role == ride.RoleDriver {
		a.Vehicle = ride.Vehicle{Class: shortClaim(m, "vehicle_class"), Plate: shortClaim(m, "plate")}
		a.Approval = ride.ApprovalApproved // its issuer vouches for it
	}
	err = s.accounts.CreateAccount(ctx, a, "")
	if errors.Is(err, ride.ErrUsernameTaken) { // by the same person, at the same moment
		return s.accounts.AccountBySubject(ctx, issuer, subject)
	}
	return a, err
}

func outsideUsername(m jwt.MapClaims, issuer, subject string) string {
	s, _ := m["preferred_username"].(string)
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < 15; i++ {
		if usernameByte(s[i]) {
			b.WriteByte(s[i])
		}
	}
	if b.Len() == 0 {
		b.WriteString("sso")
	}
	return b.String() + "-" + tokenHash(issuer + "\x00" + subject)[:16]
}

// shortClaim takes a claim of at most 32 bytes of UTF-8; empty when there is none. A
// driver without a vehicle, or with one of an unknown class, cannot go online until its
// profile names one.
func shortClaim(m jwt.MapClaims, name string) string {
	s, _ := m[name].(string)
	if len(s) > 32 || CheckName(name, s) != nil {
		return ""
	}
	return s
}

// nameClaim takes the first claim that may be a name; "-" when there is none.
func nameClaim(m jwt.MapClaims, names ...string) string {
	for _, n := range names {
		if s, _ := m[n].(string); CheckName(n, s) == nil {
			return s
		}
	}
	return "-"
}
