package link

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/actors/nodepb"
)

// peer is another node, as this one sees it. Safe for concurrent use.
type peer struct {
	l    *Link
	node actors.Member
	// gate is the actor here that its frames reach; theirs is its gate for ours.
	gate, theirs *actor.PID

	mu    sync.Mutex
	sent  uint64 // frames handed over
	acked uint64 // of them, those that are not on the way any more
	pings map[uint64]sentPing
	// number is that of the newest ping, heard of the newest one that was answered.
	number, heard uint64
	used          time.Time // when it was pinged last
}

// sentPing is a ping that awaits its answer.
type sentPing struct {
	frames uint64 // sent before it
	answer chan []byte
}

// maxPings bounds the pings that await an answer.
const maxPings = 64

// gateName is the name of the gate on which a node takes the frames of another. It holds both
// incarnations: what was meant for a former process finds no gate.
func gateName(from, to actors.Member) string {
	return to.Incarnation + " from " + from.Address + "/" + from.Incarnation
}

// newPeer makes the gate for a node; l.mu is held.
func (l *Link) newPeer(m actors.Member) *peer {
	p := &peer{
		l: l, node: m, theirs: actor.NewPID(m.Address, gateName(l.self, m)),
		pings: make(map[uint64]sentPing), used: time.Now(),
	}
	// If the gate of a node that was forgotten still stops, the name is taken, and the node's frames
	// are lost until it is forgotten again.
	p.gate, _ = l.system.Root.SpawnNamed(actor.PropsFromFunc(p.receive), gateName(m, l.self))
	return p
}

// receive is the gate.
func (p *peer) receive(ctx actor.Context) {
	f, ok := ctx.Message().(*nodepb.NodeFrame)
	if !ok {
		return
	}
	switch b := f.GetBody().(type) {
	case *nodepb.NodeFrame_Ping:
		p.pong(b.Ping.GetNumber())
	case *nodepb.NodeFrame_Pong:
		p.answered(b.Pong)
	default:
		p.l.mu.Lock()
		deliver := p.l.deliver
		p.l.mu.Unlock()
		if deliver != nil {
			deliver(f)
		}
	}
}

// pong answers a ping.
func (p *peer) pong(number uint64) {
	p.l.mu.Lock()
	answer := p.l.answer
	p.l.mu.Unlock()
	if answer == nil {
		return
	}
	if b, ok := answer(p.node); ok {
		p.l.system.Root.Send(p.theirs, &nodepb.NodeFrame{Body: &nodepb.NodeFrame_Pong{Pong: &nodepb.Pong{Number: number, Answer: b}}})
	}
}

// room counts a frame to be sent, unless too many are on the way.
func (p *peer) room() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent-p.acked >= uint64(p.l.cfg.Unanswered) {
		return false
	}
	p.sent++
	return true
}

// ping sends a ping and waits for its answer. Pings do not count as frames: a node to which too many
// frames are on the way must be able to answer.
func (p *peer) ping(ctx context.Context) ([]byte, error) {
	answer := make(chan []byte, 1)
	p.mu.Lock()
	p.number++
	number := p.number
	if len(p.pings) >= maxPings {
		clear(p.pings)
	}
	p.pings[number], p.used = sentPing{p.sent, answer}, time.Now()
	p.mu.Unlock()
	p.l.system.Root.Send(p.theirs, &nodepb.NodeFrame{Body: &nodepb.NodeFrame_Ping{Ping: &nodepb.Ping{Number: number}}})
	select {
	case b := <-answer:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answered notes the answer to a ping. Those before it count as answered, too.
func (p *peer) answered(m *nodepb.Pong) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of, ok := p.pings[m.GetNumber()]
	if !ok {
		return
	}
	of.answer <- m.GetAnswer() // there is room: this is the only answer
	p.acked, p.heard = max(p.acked, of.frames), max(p.heard, m.GetNumber())
	for n := range p.pings {
		if n <= m.GetNumber() {
			delete(p.pings, n)
		}
	}
}

// late reports whether the node leaves pings unanswered.
func (p *peer) late() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.number-p.heard > uint64(p.l.cfg.LateAfter)
}

// idle reports whether the node has not been pinged for long.
func (p *peer) idle(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(p.used) > idleFor
}
