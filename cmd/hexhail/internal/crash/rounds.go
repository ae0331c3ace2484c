package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/sim/check"
)

// recoverWithin is the default of Options.RecoverWithin.
const recoverWithin = 10 * time.Second

// strandedAfter is when a run ends whose clients do not reconnect at all.
const strandedAfter = time.Minute

// single is a proof's only server.
type single struct {
	*proof
	program *program
	server  *child
}

func startSingle(ctx context.Context, p *proof, issuer simulate.Issuer) (*single, error) {
	program, err := p.o.server(p.dir, wires{host: loopback, database: p.o.DatabaseURL}, issuer)
	if err != nil {
		return nil, err
	}
	server, err := program.start(ctx)
	if err != nil {
		return nil, errors.Join(err, program.log.Close())
	}
	return &single{p, program, server}, nil
}

func (p *single) sockets() []string       { return []string{p.server.socket} }
func (p *single) failed() <-chan struct{} { return p.server.exited }
func (p *single) stop() error             { return p.server.stop() }

func (p *single) close() {
	p.server.kill()           // it has exited long before, unless something failed
	_ = p.program.log.Close() // nothing of ours is in its buffer
}

// rounds kills the server as many times as the options say, or until ctx ends, and leaves the last
// one running.
func (p *single) rounds(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(p.o.Seed, uint64(p.o.Rounds)))
	for n := range p.o.Rounds {
		if !p.moment(ctx, rng, aims[n%len(aims)], func(asked) bool { return true }) {
			return p.died()
		}
		if p.server.gone() {
			return p.died()
		}
		at := time.Now()
		p.watch.killed(p.since(at))
		p.server.kill()
		p.city.Note(check.Record{What: check.Killed, At: p.since(at)})
		p.kills = append(p.kills, at)
		next, err := p.program.start(context.WithoutCancel(ctx)) // an interrupted run is judged, too
		if err != nil {
			return err
		}
		p.server = next
		if !p.recovered(ctx, n+1) {
			return p.died()
		}
		p.watch.back()
		fmt.Fprintf(p.out, "round %3d: killed after %5.1f s, back after %4.0f ms, first answer after %4.0f ms\n", n+1,
			at.Sub(p.begun).Seconds(), last(p.toSession), last(p.toAnswer))
	}
	return nil
}

// died returns an error if the server has exited on its own.
func (p *single) died() error {
	if p.server.gone() {
		how := p.server.err
		if how == nil {
			how = errors.New("exit code 0")
		}
		return fmt.Errorf("%w: it exited on its own: %w; its log is %s", ErrServer, how, p.program.log.Name())
	}
	return nil
}

// recovered waits until clients are served again and measures the time. It reports false if ctx
// ends or the server exits first.
func (p *single) recovered(ctx context.Context, round int) bool {
	until(ctx, strandedAfter, func() bool {
		_, answer := p.watch.recovery()
		return answer > 0 || p.server.gone()
	})
	session, answer := p.watch.recovery()
	if answer == 0 {
		if ctx.Err() == nil && !p.server.gone() {
			p.verdict.add(recovery, "after kill %d no command was answered within %s", round, strandedAfter)
		}
		return false
	}
	if answer > cmp.Or(p.o.RecoverWithin, recoverWithin) {
		p.verdict.add(recovery, "after kill %d the first command was answered after %s", round, answer.Round(time.Millisecond))
	}
	p.toSession = append(p.toSession, millis(session))
	p.toAnswer = append(p.toAnswer, millis(answer))
	return true
}

// aim is what a kill waits for.
type aim struct {
	op    string        // that must be unanswered; "any": any command
	blind bool          // kill without waiting for a command
	most  time.Duration // to wait for one; 0: as long as the options say
}

// aims are those of successive kills: an acceptance, any command, or nothing. So even a run of a few
// rounds hits commands in flight.
var aims = []aim{{op: "accept"}, {op: "any"}, {op: "accept"}, {blind: true}}

// moment waits for the next moment to kill: a random time in the round and then, unless the aim is blind,
// the time between a command that fits and its answer. Half of those kills
// come at once, the others at some point within the time that an answer takes; if the answer is
// faster, moment waits for the next command. It reports false if ctx ends or the server exits
// first.
func (p *proof) moment(ctx context.Context, rng *rand.Rand, aim aim, fits func(asked) bool) bool {
	spread := p.o.RoundMax - p.o.RoundMin
	wait := p.o.RoundMin + time.Duration(rng.Float64()*float64(spread))
	share := rng.Float64() * float64(rng.IntN(2))
	if !p.pause(ctx, wait) || aim.blind {
		return p.alive(ctx)
	}
	end := time.NewTimer(cmp.Or(aim.most, p.o.AimWithin, p.o.RoundMax))
	defer end.Stop()
	p.watch.expect(aim.op)
	for {
		select {
		case key := <-p.watch.sent:
			if a, open := p.watch.unanswered(key); !open || !fits(a) {
				continue
			}
			if !p.pause(ctx, time.Duration(share*float64(p.watch.typical()))) {
				return false
			}
			if _, open := p.watch.unanswered(key); open {
				return true
			}
		case <-end.C:
			return true
		case <-ctx.Done():
			return false
		case <-p.subject.failed():
			return false
		}
	}
}

// alive reports whether the run goes on.
func (p *proof) alive(ctx context.Context) bool {
	select {
	case <-p.subject.failed():
		return false
	default:
		return ctx.Err() == nil
	}
}

// pause waits; it reports false if ctx ends or the server exits first.
func (p *proof) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-p.subject.failed():
		return false
	}
}

// until polls for a condition, for at most the given time.
func until(ctx context.Context, most time.Duration, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
