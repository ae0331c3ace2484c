package actors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// digest identifies what a client asked for, independent of the encoding it used.
func digest(f *ridepb.ClientFrame) (string, error) {
	body := proto.Clone(f).(*ridepb.ClientFrame)
	body.Id = ""
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("digest command: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// refusal is the reply to a refused command. Only a *ride.Error is disclosed to the client; any
// other error becomes ride.ErrInternal.
func refusal(err error) *ridepb.Reply {
	var e *ride.Error
	if !errors.As(err, &e) {
		e = ride.ErrInternal
	}
	shown := view.Error(e)
	if errors.Is(e, ride.ErrUnavailable) {
		shown.RetryAfterMs = uint32((retryMin + rand.N(retrySpread)).Milliseconds())
	}
	return &ridepb.Reply{Result: &ridepb.Reply_Error{Error: shown}}
}

// When the store is overloaded, clients are asked to retry after retryMin plus a random part of
// retrySpread, so that they do not all retry at once.
const retryMin, retrySpread = time.Second, 2 * time.Second

// success is the reply to a trip's command that led to, or found, this state.
func success(m tripCommand, t *ride.Trip) *ridepb.Reply {
	switch c := m.Command.(type) {
	case ride.DeclineOffer:
		return done()
	case ride.AcceptOffer:
		if o, ok := t.Offer(c.Offer); ok && o.State == ride.OfferAccepted {
			return &ridepb.Reply{Result: &ridepb.Reply_AcceptPending{AcceptPending: &ridepb.AcceptPending{
				OfferId: string(c.Offer), AwardAt: view.Time(t.Search.AwardAt),
			}}}
		}
	}
	if shown := view.Trip(t, view.Reader{Account: m.Key.Account, Role: m.Key.Role}); shown != nil {
		return &ridepb.Reply{Result: &ridepb.Reply_Trip{Trip: shown}}
	}
	return done() // a driver who gave the trip back no longer sees it
}

func done() *ridepb.Reply {
	return &ridepb.Reply{Result: &ridepb.Reply_Done{Done: &ridepb.Done{}}}
}

func newRecord(key commandKey, at time.Time, reply *ridepb.Reply) (*ride.CommandRecord, error) {
	b, err := proto.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("encode outcome: %w", err)
	}
	return &ride.CommandRecord{Account: key.Account, ID: key.ID, Digest: key.Digest, Reply: b, At: at}, nil
}

// record stores the outcome of a command that writes nothing else, and returns the outcome that
// counts: the earlier one if the command was answered before. A retryable refusal is not stored. It
// blocks on the store for at most twice StoreTimeout.
func (s *shared) record(key commandKey, reply *ridepb.Reply) (*ridepb.Reply, error) {
	if earlier, err := s.recorded(key); err == nil || !errors.Is(err, ride.ErrNotFound) {
		return earlier, err
	}
	if reply.GetError().GetRetryable() {
		return reply, nil
	}
	record, err := newRecord(key, ride.Clean(time.Now()), reply)
	if err != nil {
		return nil, err
	}
	c, cancel := s.storeContext()
	defer cancel()
	switch err := s.store.Commit(c, ride.Transition{Command: record}); {
	case errors.Is(err, ride.ErrCommandSeen):
		return s.recorded(key)
	case errors.Is(err, ride.ErrUnknownOutcome):
		// The write may still be in flight: a missing record proves nothing.
		counts, rerr := s.recorded(key)
		if rerr != nil {
			return nil, err
		}
		return counts, nil
	case err != nil:
		return nil, err
	}
	return reply, nil
}

// overload reports whether an error means that the store is too slow, full or unreachable. Only
// less load helps, and the client repeats the command.
func overload(err error) bool {
	return errors.Is(err, ride.ErrUnavailable) || errors.Is(err, ride.ErrStoreFull) || errors.Is(err, ride.ErrUnknownOutcome)
}

// logLevel is the level at which to log a store error.
func logLevel(err error) slog.Level {
	if overload(err) {
		return slog.LevelWarn
	}
	return slog.LevelError
}

// refused returns the outcome of a command that is refused without asking a trip: the earlier
// outcome if the command was answered before. It stores nothing. It blocks on the store for at most
// StoreTimeout.
func (s *shared) refused(key commandKey, fresh *ridepb.Reply) *ridepb.Reply {
	switch earlier, err := s.recorded(key); {
	case err == nil:
		return earlier
	case errors.Is(err, ride.ErrNotFound):
		return fresh
	default:
		s.cfg.Log.Log(context.Background(), logLevel(err), "outcomes cannot be read", "account", key.Account, "error", err)
		return refusal(ride.ErrUnavailable)
	}
}

// recorded returns the outcome of a command that was answered before, or an error wrapping
// ride.ErrNotFound. The outcome of the same id with another body is ride.ErrIDReused.
func (s *shared) recorded(key commandKey) (*ridepb.Reply, error) {
	c, cancel := s.storeContext()
	defer cancel()
	r, err := s.store.Command(c, key.Account, key.ID)
	if err != nil {
		return nil, err
	}
	if r.Digest != key.Digest {
		return refusal(ride.ErrIDReused), nil
	}
	reply := new(ridepb.Reply)
	if err := proto.Unmarshal(r.Reply, reply); err != nil {
		return nil, fmt.Errorf("decode outcome: %w", err)
	}
	return reply, nil
}
