package client

import (
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// maxPending bounds the commands of one client that wait for an answer.
const maxPending = 64

// pending is a command without an answer. The client's mutex guards it.
type pending struct {
	frame *ridepb.ClientFrame
	done  func(*ridepb.Reply)
	tries int
	timer *time.Timer // until it is sent again
}

func (p *pending) stop() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// Do sends a command, now or as soon as there is a session, again after a lost socket
// and after every retryable refusal, always with the same id, which it returns. Done is
// called once, from the client's goroutine, with the final answer; never when the client
// ends before. A full client refuses the command with an empty id.
func (c *Client) Do(f *ridepb.ClientFrame, done func(*ridepb.Reply)) string {
	f.Id = c.nextID()
	p := &pending{frame: f, done: done}
	c.mu.Lock()
	if c.stopped || len(c.pending) >= maxPending {
		c.mu.Unlock()
		return ""
	}
	c.pending[f.Id] = p
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_ = conn.send(f) // a broken socket is seen by its reader; the next one repeats it
	}
	return f.Id
}

// Repeat sends a command that this client has sent before once more, under the id that
// it carries, as Do does. It reports false, and sends nothing, while that id waits for an
// answer or the client is full.
func (c *Client) Repeat(f *ridepb.ClientFrame, done func(*ridepb.Reply)) bool {
	p := &pending{frame: f, done: done}
	c.mu.Lock()
	if c.stopped || c.pending[f.GetId()] != nil || len(c.pending) >= maxPending {
		c.mu.Unlock()
		return false
	}
	c.pending[f.GetId()] = p
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_ = conn.send(f) // as in Do
	}
	return true
}

// Pending is how many commands wait for an answer.
func (c *Client) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// replied handles a reply.
func (c *Client) replied(r *ridepb.Reply) {
	c.mu.Lock()
	p := c.pending[r.GetId()]
	if p == nil {
		c.mu.Unlock()
		return
	}
	if e := r.GetError(); e != nil && e.GetRetryable() {
		wait := time.Duration(e.GetRetryAfterMs()) * time.Millisecond
		if wait == 0 {
			wait = backoff(p.tries)
		}
		p.tries++
		p.stop()
		if !c.stopped {
			p.timer = time.AfterFunc(wait, func() { c.again(r.GetId()) })
		}
		c.mu.Unlock()
		return
	}
	p.stop()
	delete(c.pending, r.GetId())
	c.mu.Unlock()
	p.done(r)
}

// again repeats a command that was refused as retryable.
func (c *Client) again(id string) {
	c.mu.Lock()
	p, conn := c.pending[id], c.conn
	c.mu.Unlock()
	if p != nil && conn != nil {
		_ = conn.send(p.frame) // as in Do
	}
}

// The backoff's first step and its bound.
const (
	backoffStep = 500 * time.Millisecond
	backoffMax  = 30 * time.Second
)

// backoff is a random time up to a bound that doubles with each attempt.
func backoff(attempt int) time.Duration {
	most := backoffMax
	if attempt < 6 {
		most = min(most, backoffStep<<attempt)
	}
	return jitter(most)
}

func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}
