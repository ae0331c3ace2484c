package routers

import (
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/hexhail/hexhail/geo"
)

const (
	// remembered is how many routes are kept, of 100 bytes each, and fresh is for how long: traffic changes.
	remembered = 20_000
	fresh      = 5 * time.Minute
	// perDegree makes the units of places, of 1.1 m. The server is asked in them as well.
	perDegree = 1e5
)

// key is a drive between two places in units.
type key struct{ fromLat, fromLng, toLat, toLng int32 }

func keyOf(hub, end geo.Point, inward bool) key {
	if inward {
		hub, end = end, hub
	}
	return key{units(hub.Lat), units(hub.Lng), units(end.Lat), units(end.Lng)}
}

func units(deg float64) int32 { return int32(math.Round(deg * perDegree)) }

// rounded is the place that stands for all that have the same key.
func rounded(p geo.Point) geo.Point {
	return geo.Point{Lat: float64(units(p.Lat)) / perDegree, Lng: float64(units(p.Lng)) / perDegree}
}

// cache keeps the routes asked for last. It is safe for concurrent use.
type cache struct {
	now func() time.Time
	mu  sync.Mutex
	lru *simplelru.LRU[key, entry]
}

type entry struct {
	route geo.Route
	until time.Time
}

func newCache(now func() time.Time) *cache {
	lru, _ := simplelru.NewLRU[key, entry](remembered, nil) // it fails for a size below 1 alone
	return &cache{now: now, lru: lru}
}

func (c *cache) get(k key) (geo.Route, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(k)
	if ok && !c.now().Before(e.until) {
		c.lru.Remove(k)
		ok = false
	}
	return e.route, ok
}

func (c *cache) put(k key, r geo.Route) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Add(k, entry{r, c.now().Add(fresh)})
}
