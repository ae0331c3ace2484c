package auth

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

// Place is where a person signs in.
type Place struct {
	// Addr is the client's address.
	Addr string
	// Device is a secret that the client made for itself and sends with each log-in; empty if it
	// has none. It proves nothing about the person, only that someone signed in here before.
	Device string
}

const (
	// placesKept bounds the places that an account is known at, the newest.
	placesKept = 16
	// placeAge is how long a place stays known after the last log-in there.
	placeAge = 90 * 24 * time.Hour
)

// derivedKey makes what addresses and usernames are hashed with for a purpose. Both are few enough to
// be guessed: without the key a copy of the database does not tell them.
func derivedKey(keys Keys, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, keys.sign.Seed(), nil, purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", purpose, err)
	}
	return key, nil
}

// hashes are how an account's places are stored: the network's, and the device's if it named one.
// They differ from account to account, so that a device does not link its people.
func (s *Service) hashes(id ride.AccountID, p Place) []string {
	hash := func(kind, value string) string {
		m := hmac.New(sha256.New, s.placesKey)
		m.Write([]byte(string(id) + "\x00" + kind + "\x00" + value)) // never fails
		return hex.EncodeToString(m.Sum(nil)[:16])
	}
	out := []string{hash("network", clientaddr.NetworkOf(p.Addr))}
	if p.Device != "" {
		out = append(out, hash("device", p.Device))
	}
	return out
}

// attemptAt describes an attempt to sign in as an account, which has no id if it does not exist:
// then the same is looked up, and not found.
func (s *Service) attemptAt(ctx context.Context, username string, id ride.AccountID, p Place) (logInAttempt, error) {
	a := logInAttempt{username: username, network: clientaddr.NetworkOf(p.Addr)}
	a.place = a.network
	known, err := s.places.KnownPlaces(ctx, id, ride.Clean(s.cfg.Now().Add(-placeAge)))
	if err != nil {
		return logInAttempt{}, fmt.Errorf("read known places: %w", err)
	}
	for i, hash := range s.hashes(id, p) {
		if !slices.Contains(known, hash) {
			continue
		}
		a.known = true
		if i > 0 { // a device, whose failures are its own
			a.place = hash
		}
	}
	return a, nil
}

// remember makes a place known after a log-in there. The log-in counts whether or not it can be
// stored.
func (s *Service) remember(ctx context.Context, id ride.AccountID, p Place) {
	if p.Addr == "" && p.Device == "" {
		return
	}
	err := s.places.SavePlaces(ctx, id, s.hashes(id, p), ride.Clean(s.cfg.Now()), placesKept)
	if err != nil {
		s.cfg.Log.Warn("could not remember where an account signed in", "account", id, "error", err)
	}
}

// ofSession is an attempt by a person who is signed in already: the log-in is the place.
func ofSession(p transport.Principal) logInAttempt {
	return logInAttempt{username: p.Account.Username, place: "log-in " + p.Family, known: true}
}
