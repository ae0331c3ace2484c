package auth

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hexhail/hexhail/ride"
)

// maxTokenBytes bounds a token of any issuer, before anything is parsed.
const maxTokenBytes = 8 << 10

// tokenType is the "typ" of our own access tokens: nothing else that the key may
// ever sign can be taken for one.
const tokenType = "at+jwt"

// claims are those of our own access tokens. All are required.
type claims struct {
	jwt.RegisteredClaims
	Role   ride.Role `json:"role"`
	Family string    `json:"sid"`
}

// Validate refuses tokens that lack what the parser does not ask for.
func (c claims) Validate() error {
	if c.Subject == "" || c.Family == "" || !c.Role.Valid() || c.IssuedAt == nil {
		return fmt.Errorf("%w: sub, sid, role and iat", jwt.ErrTokenRequiredClaimMissing)
	}
	return nil
}

// tokens issues and verifies our own access tokens. Safe for concurrent use.
type tokens struct {
	cfg    Config
	keys   Keys
	parser *jwt.Parser
}

func newTokens(cfg Config, keys Keys) *tokens {
	return &tokens{cfg: cfg, keys: keys, parser: strictParser(cfg, cfg.Issuer, cfg.Audience,
		jwt.SigningMethodEdDSA.Alg())}
}

// strictParser asks for everything that the library lets pass by default.
func strictParser(cfg Config, issuer, audience string, algorithms ...string) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(algorithms),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(cfg.Leeway),
		jwt.WithTimeFunc(cfg.Now),
		jwt.WithStrictDecoding(),
	)
}

func (t *tokens) issue(a ride.Account, family string) (string, time.Time, error) {
	now := t.cfg.Now().UTC().Truncate(time.Second)
	exp := now.Add(t.cfg.AccessTTL)
	tok := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.cfg.Issuer, Audience: jwt.ClaimStrings{t.cfg.Audience}, Subject: string(a.ID),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(exp),
		},
		Role: a.Role, Family: family,
	})
	tok.Header["kid"], tok.Header["typ"] = t.keys.signID, tokenType
	s, err := tok.SignedString(t.keys.sign)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign access token: %w", err)
	}
	return s, exp, nil
}

func (t *tokens) verify(token string) (claims, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(token, &c, func(tok *jwt.Token) (any, error) {
		if err := checkHeader(tok); err != nil {
			return nil, err
		}
		if tok.Header["typ"] != tokenType {
			return nil, fmt.Errorf("%w: typ", jwt.ErrTokenUnverifiable)
		}
		kid, _ := tok.Header["kid"].(string)
		key, ok := t.keys.publics[kid]
		if !ok {
			return nil, fmt.Errorf("%w: unknown kid", jwt.ErrTokenUnverifiable)
		}
		return key, nil
	})
	return c, err
}

// checkHeader refuses headers that ask the reader to do something special: a key of
// the token's own choosing, or an extension that we do not know.
func checkHeader(tok *jwt.Token) error {
	for _, h := range []string{"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64"} {
		if _, ok := tok.Header[h]; ok {
			return fmt.Errorf("%w: header %s", jwt.ErrTokenUnverifiable, h)
		}
	}
	return nil
}

// peekIssuer reads the issuer of a token without believing it, to know whose rules
// apply. It refuses everything that cannot be a token: base64 decoders skip line breaks, so
// the alphabet is checked first. It also refuses invalid dates, regardless of the signer.
func peekIssuer(token string) (string, error) {
	if len(token) == 0 || len(token) > maxTokenBytes {
		return "", jwt.ErrTokenMalformed
	}
	dots := 0
	for i := range len(token) {
		switch c := token[i]; {
		case c == '.':
			dots++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return "", jwt.ErrTokenMalformed
		}
	}
	if dots != 2 {
		return "", jwt.ErrTokenMalformed
	}
	m := jwt.MapClaims{} // exact keys, unlike a struct
	if _, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(token, m); err != nil {
		return "", err
	}
	if err := checkDates(token); err != nil {
		return "", err
	}
	return m.GetIssuer()
}
