package runtime

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Shell is an actor as this project writes it.
type Shell interface {
	// Receive is called with one message at a time.
	Receive(ctx actor.Context)
	// Recovered is called after Receive has panicked, to restore a valid state. If it panics too,
	// the actor stops.
	Recovered(ctx actor.Context)
}

// Host runs the actors of this node. Make one with New, call Run while actors run, and
// Close it once. Safe for concurrent use.
type Host struct {
	// Root sends messages from outside an actor.
	Root *actor.RootContext

	system      *actor.ActorSystem
	pool        *pool
	log         *slog.Logger
	incarnation string
}

// New makes a host without actors. It opens no port. incarnation names the process: it is part of
// every actor's name, so that a name kept from a former process names no actor of this one.
// deadLetter is called for each message to an actor that no longer exists, from any goroutine.
func New(log *slog.Logger, incarnation string, deadLetter func()) *Host {
	// protoactor logs dead letters with their contents at info. Logs must not hold positions or
	// names, so dead letters are counted instead.
	quiet := slog.New(atLeastWarn{log.Handler()})
	h := &Host{pool: newPool(), log: log, incarnation: incarnation}
	h.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	h.Root = h.system.Root
	h.system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(*actor.DeadLetterEvent); ok {
			deadLetter()
		}
	})
	return h
}

type atLeastWarn struct{ slog.Handler }

func (h atLeastWarn) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// Run stops goroutines that have become idle, until the context ends.
func (h *Host) Run(ctx context.Context) { h.pool.shrink(ctx) }

// Close shuts protoactor down. The actors must have stopped.
func (h *Host) Close() {
	h.system.Shutdown()
	h.pool.close()
}

// Join gives the actors spawned from now on their node's address, and protoactor the processes
// behind the PIDs of other addresses. It is called before the first Spawn.
func (h *Host) Join(address string, resolve func(*actor.PID) (actor.Process, bool)) {
	h.system.ProcessRegistry.Address = address
	h.system.ProcessRegistry.RegisterAddressResolver(resolve)
}

// Named returns the PID of an actor or a future of this process; nil if it has ended, or never was.
func (h *Host) Named(name string) *actor.PID {
	if _, ok := h.system.ProcessRegistry.GetLocal(name); !ok {
		return nil
	}
	return actor.NewPID(h.system.ProcessRegistry.Address, name)
}

// Spawn starts an actor of a kind. Callers that share its name with others hold a lock:
// protoactor publishes a name before the mailbox behind it is ready.
func (h *Host) Spawn(k *Kind, make func() Shell) *actor.PID {
	return h.Root.SpawnPrefix(h.props(k, make), k.name+"."+h.incarnation)
}

// SpawnNamed starts the one actor of a name that other nodes know.
func (h *Host) SpawnNamed(k *Kind, name string, make func() Shell) (*actor.PID, error) {
	return h.Root.SpawnNamed(h.props(k, make), name)
}

func (h *Host) props(k *Kind, make func() Shell) *actor.Props {
	shard := k.shard()
	return actor.PropsFromProducer(
		func() actor.Actor { return &guard{log: h.log, kind: k, shard: shard, shell: make()} },
		actor.WithMailbox(actor.Unbounded(&mailbox{shard: shard})), actor.WithDispatcher(h.pool),
	)
}

// Stop stops an actor once it has handled what it was sent so far.
func (h *Host) Stop(pid *actor.PID) { h.Root.Poison(pid) }

// Sender returns a function that sends a message, for timers.
func (h *Host) Sender(to *actor.PID, message any) func() {
	return func() { h.Root.Send(to, message) }
}

// guard is the actor that protoactor sees: it counts, and recovers inside Receive,
// where protoactor's own restart would lose the state and the mailbox's order.
type guard struct {
	log   *slog.Logger
	kind  *Kind
	shard *kindShard
	shell Shell
}

func (g *guard) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		g.shard.spawned.Add(1)
	case *actor.Stopped:
		g.shard.stopped.Add(1)
	}
	begin := time.Now()
	g.call(ctx)
	took := time.Since(begin)
	g.shard.handle(took)
	if took >= slowFrom {
		g.kind.recent.slow(ctx.Message(), took, begin)
	}
}

func (g *guard) call(ctx actor.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			g.shard.panics.Add(1)
			g.log.Error("actor panicked", "kind", g.kind.name, "actor", ctx.Self().GetId(),
				"cause", cause, "stack", string(debug.Stack()))
			g.recover(ctx)
		}
	}()
	g.shell.Receive(ctx)
}

// recover calls the shell's Recovered. If that panics, the actor stops and its state is only in the
// database.
func (g *guard) recover(ctx actor.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			g.log.Error("actor cannot recover", "kind", g.kind.name, "actor", ctx.Self().GetId(), "cause", cause)
			ctx.Stop(ctx.Self())
		}
	}()
	g.shell.Recovered(ctx)
}
