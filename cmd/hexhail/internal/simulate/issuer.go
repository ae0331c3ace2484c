package simulate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hexhail/hexhail/sim/check"
)

// Issuer makes the tokens of simulated accounts. The server must trust it as an outside issuer with
// this secret that may create accounts.
type Issuer struct {
	Name, Audience string
	Secret         []byte
}

// tokenTTL is long enough for any run; clients get a new token at each connect.
const tokenTTL = time.Hour

// usualClass is the vehicle class of drivers without another one.
const usualClass = "standard"

// Token returns a token for an account, which the server creates at the first connect. Drivers get
// the usual class.
func (i Issuer) Token(role, name string) (string, error) { return i.TokenWith(role, name, "") }

// TokenWith is Token for a driver of a vehicle class; empty: the usual one.
func (i Issuer) TokenWith(role, name, class string) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": i.Name, "aud": i.Audience, "sub": name, "role": role, "given_name": oneOf(givenNames, "given", name), "family_name": oneOf(familyNames, "family", name),
		"preferred_username": name, "iat": now.Unix(), "exp": now.Add(tokenTTL).Unix(),
	}
	if role == "driver" {
		claims["vehicle_class"], claims["plate"] = cmp.Or(class, usualClass), plate(name)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(i.Secret)
}

// givenNames are the given names of simulated people.
var givenNames = strings.Fields(`Ada Amir Ana Ben Bora Carmen Chen Chloe Daniel Dara Diego Elena Emil Eun Farah Felix Grace
	Hana Hugo Ida Ines Ivan Jae Jamal Joan Jonas Juno Kai Kofi Lara Leo Lin Luis Maja Mara Marco Mina Nadia Nils Noor Olga Omar
	Paula Pedro Quinn Rafael Rosa Ruth Sami Sara Seo Tara Theo Uma Vera Viktor Wen Yara Yusuf Zoe`)

var familyNames = strings.Fields(`Abara Adler Ahn Alves Baker Bauer Bell Bose Brandt Castro Cho Costa Cruz Dahl Diaz Dubois Endo
	Evans Ferrari Fischer Garcia Greco Grant Gupta Haas Han Hill Ito Ivanov Jensen Jung Kaya Keller Kim Klein Kwon Lang Larsen Lee Lopez
	Mbeki Mendes Meyer Moon Mori Nagy Ng Novak Ochoa Okafor Olsen Park Patel Perez Pham Reyes Rossi Ryu Sato Silva Singh Song Stein
	Tanaka Torres Tran Usman Vance Vega Wagner Walsh Weber Wong Yilmaz Yoon Zhang`)

// oneOf picks a name, always the same for an account. The hash includes the kind of name: otherwise
// people with the same given name would all have the same family name.
func oneOf(names []string, what, account string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(what + account)) // cannot fail
	return names[int(h.Sum32()%uint32(len(names)))]
}

// plate is a number plate of at most 16 bytes that differs from driver to driver.
func plate(name string) string {
	_, number, ok := strings.Cut(name, "driver-")
	if !ok {
		number = name
	}
	return "HX " + number[max(0, len(number)-13):]
}

// Reader reads trips, and ends the access of accounts, over HTTP as an operator, whose account is created on
// the first request.
type Reader struct {
	base   string
	issuer Issuer
	client *http.Client
}

// NewReader makes a reader for the server whose sockets are at a URL.
func NewReader(socket string, issuer Issuer) (*Reader, error) {
	u, err := url.Parse(socket)
	if err != nil {
		return nil, fmt.Errorf("server URL: %w", err)
	}
	u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	if u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a socket, such as ws://127.0.0.1:8080/v1/ws", socket)
	}
	u.Path = ""
	direct := http.DefaultTransport.(*http.Transport).Clone()
	direct.Proxy = nil // sockets do not use the environment's proxies either
	return &Reader{u.String(), issuer, &http.Client{Timeout: 5 * time.Second, Transport: direct}}, nil
}

// Bar ends an account's access as an operator does: by the action suspend or logout. The error does not
// say that it was not done.
func (r *Reader) Bar(ctx context.Context, account, action string) error {
	_, err := r.do(ctx, http.MethodPost, "/v1/admin/accounts/"+url.PathEscape(account)+"/"+action, `{"reason":"simulation"}`)
	return err
}

// do makes a request as an operator and returns the body of its answer. It waits, as the server asks, where it
// has asked too much.
func (r *Reader) do(ctx context.Context, method, path, body string) ([]byte, error) {
	for {
		answer, wait, err := r.once(ctx, method, path, body)
		if wait <= 0 {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait):
		}
	}
}

// once makes a request. A positive wait says that the same request may succeed after it.
func (r *Reader) once(ctx context.Context, method, path, body string) (answer []byte, wait time.Duration, err error) {
	token, err := r.issuer.Token("operator", "hexhail-sim-operator")
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, 0, err
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		wait = time.Duration(min(max(1, seconds), 10)) * time.Second
	}
	if resp.StatusCode != http.StatusOK {
		return nil, wait, fmt.Errorf("the server answered %s", resp.Status)
	}
	return answer, 0, nil
}

// Read is one trip with its history.
func (r *Reader) Read(ctx context.Context, trip string) (check.Record, error) {
	body, err := r.do(ctx, http.MethodGet, "/v1/admin/trips/"+url.PathEscape(trip), "")
	if err != nil {
		return check.Record{}, err
	}
	var v struct {
		Trip struct {
			Version uint32 `json:"version"`
			Status  string `json:"status"`
			Driver  struct {
				ID string `json:"id"`
			} `json:"driver"`
		} `json:"trip"`
		Events []struct {
			Version uint32 `json:"version"`
		} `json:"events"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return check.Record{}, fmt.Errorf("read a trip: %w", err)
	}
	out := check.Record{Version: v.Trip.Version, Status: v.Trip.Status, Driver: v.Trip.Driver.ID}
	for _, e := range v.Events {
		out.Versions = append(out.Versions, e.Version)
	}
	return out, nil
}
