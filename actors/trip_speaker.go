package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// speaker is the actor that speaks for an account, as last heard. The zero value is none.
type speaker struct {
	pid *actor.PID
	// generation is as in a commandKey.
	generation uint64
}

// learn notes the actor that sent a message, and reports whether that actor speaks for the account.
// One of a lower generation has been replaced: what it sends late, or from a node that does not know,
// must not take the account's news away from its successor.
func (s *speaker) learn(pid *actor.PID, generation uint64) bool {
	if pid == nil || generation < s.generation {
		return false
	}
	s.pid, s.generation = pid, generation
	return true
}

// driving is the speaker of a trip's driver. Generations of different accounts do not compare.
type driving struct {
	driver ride.AccountID
	speaker
}

// learn is speaker.learn for a driver, who may be another one than before.
func (d *driving) learn(driver ride.AccountID, pid *actor.PID, generation uint64) bool {
	if d.driver != driver {
		*d = driving{driver: driver}
	}
	return d.speaker.learn(pid, generation)
}
