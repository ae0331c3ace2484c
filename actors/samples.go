package actors

import (
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// Actors counts the actors of this node by kind.
func (s *System) Actors() []*ridepb.ActorKind { return nil }

// Samples returns the points of the charts.
func (s *System) Samples(_ time.Time, _ time.Duration) []*ridepb.Sample { return nil }

// sampleStep is the length of one sample.
const sampleStep = 10 * time.Second
