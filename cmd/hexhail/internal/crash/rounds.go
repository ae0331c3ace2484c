package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hexhail/hexhail/sim/check"
)

// recoverWithin is the default of Options.RecoverWithin.
const recoverWithin = 10 * time.Second

// strandedAfter ends a run whose clients do not come back at all.
const strandedAfter = time.Minute

// rounds kills the server as often as the options ask, or until ctx ends, and leaves it
// running.
func (p *proof) rounds(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(p.o.Seed, uint64(p.o.Rounds)))
	for n := range p.o.Rounds {
		if !p.moment(ctx, rng, n) {
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

// died is an error when the server has ended by itself.
func (p *proof) died() error {
	if p.server.gone() {
		how := p.server.err
		if how == nil {
			how = errors.New("exit code 0")
		}
		return fmt.Errorf("%w: it ended by itself: %w; its log is %s", ErrServer, how, p.program.log.Name())
	}
	return nil
}

// recovered waits until clients are served again and takes the time; false when ctx or
// the server ended first.
func (p *proof) recovered(ctx context.Context, round int) bool {
	p.until(ctx, strandedAfter, func() bool {
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

// aims are what successive kills wait for: an acceptance, any command, or nothing, so that
// a run of a few rounds already meets commands under way.
var aims = []struct {
	op    string // to be unanswered; "": no matter
	blind bool   // kill without a look at what is unanswered
}{{op: "accept"}, {op: "any"}, {op: "accept"}, {blind: true}}

// moment waits for the next moment to kill at: some time in the round, and there three
// times of four after a command was sent and before its answer came, an acceptance
// preferably. Every second of those dies at once, the others somewhere in the time that
// an answer takes; where the answer was faster, the next command is waited for. It
// reports false when ctx or the server ended first.
func (p *proof) moment(ctx context.Context, rng *rand.Rand, round int) bool {
	aim := aims[round%len(aims)]
	spread := p.o.RoundMax - p.o.RoundMin
	wait := p.o.RoundMin + time.Duration(rng.Float64()*float64(spread))
	share := rng.Float64() * float64(rng.IntN(2))
	if !p.pause(ctx, wait) || aim.blind {
		return ctx.Err() == nil && !p.server.gone()
	}
	end := time.NewTimer(p.o.RoundMax) // a quiet city may have no such command
	defer end.Stop()
	p.watch.expect(aim.op)
	for {
		select {
		case key := <-p.watch.sent:
			if !p.pause(ctx, time.Duration(share*float64(p.watch.typical()))) {
				return false
			}
			if p.watch.unanswered(key) {
				return true
			}
		case <-end.C:
			return true
		case <-ctx.Done():
			return false
		case <-p.server.exited:
			return false
		}
	}
}

// pause waits; false when ctx or the server ended first.
func (p *proof) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-p.server.exited:
		return false
	}
}

// until polls for a condition, at most so long.
func (p *proof) until(ctx context.Context, most time.Duration, ok func() bool) {
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
