package routers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// request is a question in a server's own words.
type request struct {
	path  string // below the server's address
	query url.Values
	body  []byte // JSON to post; nil: there is none
}

// client asks a server: a few requests at a time, each within a time limit, and not while it keeps failing.
// What it says of failures contains neither account nor place.
type client struct {
	base    *url.URL // without account
	account *url.Userinfo
	agent   string
	http    *http.Client
	turns   chan struct{} // as many as may wait for the server at once
	wait    time.Duration
	breaker breaker
	log     *slog.Logger
}

func newClient(base *url.URL, o Options) *client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost, t.MaxConnsPerHost, t.MaxResponseHeaderBytes = AtOnce, AtOnce, 64<<10
	c := &client{
		account: base.User, turns: make(chan struct{}, AtOnce), wait: wait, breaker: breaker{now: time.Now},
		agent: strings.TrimSpace("hexhail " + o.Version), log: o.Log.With("engine", o.Engine.String(), "host", base.Host),
		http: &http.Client{Transport: t, CheckRedirect: sameHost},
	}
	without := *base
	without.User, without.Fragment = nil, ""
	c.base = &without
	return c
}

// sameHost keeps places from being sent to anyone else.
func sameHost(r *http.Request, via []*http.Request) error {
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host || len(via) > 3 {
		return errors.New("it sends its clients elsewhere")
	}
	return nil
}

// do asks and lets read make something of the answer, whose error is that of the server. Refusal tells what
// an answer other than 200 means. The error wraps geo.ErrNoRoute, errPaused, the context's, or is
// a failure of the server.
func (c *client) do(ctx context.Context, q request, refusal func([]byte) error, read func([]byte) error) error {
	caller, limit := ctx, c.limit(ctx)
	ctx, cancel := context.WithTimeout(caller, limit)
	defer cancel()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both may hold
		return err
	}
	probe, ok := c.breaker.begin()
	if !ok {
		return errPaused
	}
	body, status, err := c.send(ctx, q)
	switch {
	case err != nil:
	case status == http.StatusOK:
		err = read(body)
	default:
		if err = refusal(body); err == nil {
			err = fmt.Errorf("status %d", status)
		}
	}
	c.judge(probe, err, // net/http reports why a caller gave up, not that it did
		errors.Is(caller.Err(), context.Canceled) || limit < c.wait/2 && errors.Is(err, context.DeadlineExceeded))
	return err
}

// limit is how long a request may take. Of its caller's time it leaves enough for others to answer.
func (c *client) limit(ctx context.Context) time.Duration {
	const share = 0.6
	if end, ok := ctx.Deadline(); ok {
		return min(c.wait, time.Duration(share*float64(time.Until(end))))
	}
	return c.wait
}

// judge tells the breaker what became of a request, and the log when that changes something. That one which
// was given up, or in a hurry, has no answer says nothing about the server.
func (c *client) judge(probe bool, err error, giveUp bool) {
	o := failed
	switch {
	case err == nil, errors.Is(err, geo.ErrNoRoute):
		o = answered
	case giveUp:
		o = abandoned
	}
	switch paused, back := c.breaker.end(probe, o); {
	case paused:
		c.log.Warn("the server of routes keeps failing, and is not asked for a while; others estimate drives meanwhile", "error", err)
	case back:
		c.log.Info("the server of routes answers again")
	}
}

func (c *client) send(ctx context.Context, q request) (body []byte, status int, err error) {
	u := c.base.JoinPath(q.path)
	all := c.base.Query()
	for k, v := range q.query {
		all[k] = v
	}
	u.RawQuery = all.Encode()
	method, content := http.MethodGet, io.Reader(http.NoBody)
	if q.body != nil {
		method, content = http.MethodPost, bytes.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return nil, 0, bare(err)
	}
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Accept", "application/json")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.account != nil {
		password, _ := c.account.Password()
		r.SetBasicAuth(c.account.Username(), password)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, 0, bare(err)
	}
	defer func() { _ = answer.Body.Close() }() // it has been read, or is not wanted
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, bare(err)
	case len(body) > maxAnswer:
		return nil, 0, fmt.Errorf("%w: it has more than %d bytes", errAnswer, maxAnswer)
	}
	return body, answer.StatusCode, nil
}

// bare is an error without the address that was asked, which contains places and perhaps a key.
func bare(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}
