package streets

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// TestSwapWhileAsked: every plan is whole and of one map while maps are swapped, and searches do not
// share their memory.
func TestSwapWhileAsked(t *testing.T) {
	slow := manhattanMap(t)
	model := DefaultModel()
	model.SignShare = 1.7
	fast, err := slow.WithModel(model)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(5, 5))
	type question struct {
		from, to   geo.Place
		slow, fast geo.Plan
	}
	var asked []question
	for len(asked) < 20 {
		q := question{from: geo.Place{Point: somewhere(r, slow)}, to: geo.Place{Point: somewhere(r, slow)}}
		var err, err2 error
		q.slow, err = slow.Plan(t.Context(), q.from, q.to, time.Time{})
		q.fast, err2 = fast.Plan(t.Context(), q.from, q.to, time.Time{})
		if err == nil && err2 == nil {
			asked = append(asked, q)
		}
	}
	c := cityOf(slow)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 5 * len(asked) {
				q := asked[i%len(asked)]
				p, err := c.Plan(t.Context(), q.from, q.to, time.Time{})
				if err != nil || len(p.Line) != len(q.slow.Line) || p.Duration != q.slow.Duration && p.Duration != q.fast.Duration {
					t.Errorf("question %d: %v, %v instead of %v or %v", i, err, p.Duration, q.slow.Duration, q.fast.Duration)
				}
			}
		})
	}
	for i := range 200 {
		c.Swap([]*Map{slow, fast}[i%2])
	}
	wg.Wait()
}
