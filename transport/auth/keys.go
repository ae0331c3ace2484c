package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
)

// Keys are what our own tokens are signed and checked with: the first key that holds a
// private part signs, all of them check. Keeping the former key for as long as an
// access token lives makes a change of keys invisible.
type Keys struct {
	signID  string
	sign    ed25519.PrivateKey
	publics map[string]ed25519.PublicKey // by kid; fixed after construction
}

// ID is the kid of the key that signs.
func (k Keys) ID() string { return k.signID }

// Accepts reports whether tokens of the key with a kid are accepted.
func (k Keys) Accepts(kid string) bool {
	_, ok := k.publics[kid]
	return ok
}

// PublicSet is the JSON Web Key Set (RFC 7517) of all keys that tokens may be signed with, for
// services that accept our tokens. It has no private part.
func (k Keys) PublicSet() ([]byte, error) {
	set := jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{}}
	for _, id := range slices.Sorted(maps.Keys(k.publics)) {
		key, err := jwkset.NewJWKFromKey(k.publics[id], jwkset.JWKOptions{
			Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.AlgEdDSA, KID: id, USE: jwkset.UseSig},
		})
		if err != nil {
			return nil, fmt.Errorf("publish key %s: %w", id, err)
		}
		set.Keys = append(set.Keys, key.Marshal())
	}
	return json.Marshal(set)
}

// maxKeys bounds a key file.
const maxKeys = 16

// GenerateKeys makes fresh random keys.
func GenerateKeys() (Keys, error) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Keys{}, fmt.Errorf("generate signing key: %w", err)
	}
	return newKeys([]ed25519.PrivateKey{priv}, nil), nil
}

// ParseKeys reads keys as an operator writes them: either the 32-byte Ed25519 seed in
// base64, or PEM with one or more "PRIVATE KEY" (PKCS #8) and "PUBLIC KEY" blocks. The
// first private key signs; the others only check.
func ParseKeys(text string) (Keys, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "-----BEGIN") {
		seed, err := decodeBase64(text)
		if err != nil || len(seed) != ed25519.SeedSize {
			return Keys{}, fmt.Errorf("%w: a signing key is PEM or a base64 seed of 32 bytes", ErrConfig)
		}
		return newKeys([]ed25519.PrivateKey{ed25519.NewKeyFromSeed(seed)}, nil), nil
	}
	var privates []ed25519.PrivateKey
	var publics []ed25519.PublicKey
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				return Keys{}, fmt.Errorf("%w: the signing keys' last PEM block is not whole", ErrConfig)
			}
			break
		}
		priv, pub, err := parseBlock(b)
		if err != nil {
			return Keys{}, err
		}
		if priv != nil {
			privates = append(privates, priv)
		} else {
			publics = append(publics, pub)
		}
	}
	switch {
	case len(privates) == 0:
		return Keys{}, fmt.Errorf("%w: no private signing key among the PEM blocks", ErrConfig)
	case len(privates)+len(publics) > maxKeys:
		return Keys{}, fmt.Errorf("%w: more than %d signing keys", ErrConfig, maxKeys)
	}
	return newKeys(privates, publics), nil
}

func parseBlock(b *pem.Block) (ed25519.PrivateKey, ed25519.PublicKey, error) {
	var key any
	var err error
	switch b.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(b.Bytes)
	default:
		return nil, nil, fmt.Errorf("%w: unexpected PEM block %q", ErrConfig, b.Type)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: signing key: %w", ErrConfig, err)
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
		return k, nil, nil
	case ed25519.PublicKey:
		return nil, k, nil
	}
	return nil, nil, fmt.Errorf("%w: a signing key must be Ed25519, not %T", ErrConfig, key)
}

func newKeys(privates []ed25519.PrivateKey, publics []ed25519.PublicKey) Keys {
	k := Keys{sign: privates[0], signID: keyID(publicOf(privates[0])), publics: make(map[string]ed25519.PublicKey)}
	for _, p := range privates {
		publics = append(publics, publicOf(p))
	}
	for _, p := range publics {
		k.publics[keyID(p)] = p
	}
	return k
}

// publicOf is the second half of a private key, RFC 8032.
func publicOf(p ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(p[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

// keyID derives a kid from the key itself, so that a key keeps it wherever it goes.
func keyID(p ed25519.PublicKey) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:8])
}

// LoadOrCreateKey reads the keys in the file, in any form that ParseKeys takes, or makes
// a key and stores it there, readable by its owner alone. A file that others than owner
// and group can touch is refused. It is safe against another process doing the same.
func LoadOrCreateKey(path string) (Keys, error) {
	keys, err := loadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := createKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Keys{}, fmt.Errorf("create signing key: %w", err)
	}
	return loadKeys(path)
}

// LoadKey is LoadOrCreateKey for a file that must exist; fs.ErrNotExist if it does not.
func LoadKey(path string) (Keys, error) { return loadKeys(path) }

func loadKeys(path string) (Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Keys{}, fmt.Errorf("signing key: %w", err)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return Keys{}, fmt.Errorf("%w: %s is open to others (mode %04o); run chmod 600 on it", ErrConfig, path, info.Mode().Perm())
	}
	if info.Size() > 64<<10 {
		return Keys{}, fmt.Errorf("%w: %s is not a key file", ErrConfig, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, fmt.Errorf("signing key: %w", err)
	}
	keys, err := ParseKeys(string(b))
	if err != nil {
		return Keys{}, fmt.Errorf("%s holds no whole signing key; put it back from a backup: %w", path, err)
	}
	return keys, nil
}

// createKeyFile writes a complete file beside the path and links it there: the link
// fails if the name exists, and no reader ever sees half a key.
func createKeyFile(path string) error {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".signing-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // linked by then, or of no use
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

func decodeBase64(s string) ([]byte, error) {
	s = strings.TrimRight(s, "=")
	if b, err := base64.RawStdEncoding.DecodeString(s); err == nil {
		return b, nil
	}
	return base64.RawURLEncoding.DecodeString(s)
}
