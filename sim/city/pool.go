package city

import (
	"strconv"
	"sync"
)

// pool holds the riders of a city: free ones take the next requests, and new ones are made up to
// the maximum.
type pool struct {
	city *City
	most int // riders; 0: as many as needed

	mu   sync.Mutex
	all  []*rider
	idle []*rider
	back chan struct{} // has an element once a rider has come back
}

func newPool(c *City, most int) *pool {
	return &pool{city: c, most: most, back: make(chan struct{}, 1)}
}

// get returns a free rider, or nil when all are busy.
func (p *pool) get() *rider {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		r := p.idle[0]
		p.idle = p.idle[1:]
		return r
	}
	if p.most > 0 && len(p.all) >= p.most {
		return nil
	}
	n := len(p.all)
	r := newRider(p.city, strconv.Itoa(n))
	p.all = append(p.all, r)
	r.start(r, n)
	return r
}

// give takes a rider back.
func (p *pool) give(r *rider) {
	p.mu.Lock()
	p.idle = append(p.idle, r)
	p.mu.Unlock()
	select {
	case p.back <- struct{}{}:
	default:
	}
}

func (p *pool) everybody() []*rider {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[:len(p.all):len(p.all)]
}

// busy is how many riders have a request.
func (p *pool) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all) - len(p.idle)
}
