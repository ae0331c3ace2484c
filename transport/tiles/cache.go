// Package tiles gives out the vector tiles of a city's map, each encoded and packed once, and describes them as TileJSON
// and as a style for MapLibre. It knows nothing of HTTP.
package tiles

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/hexhail/hexhail/geo/streets"
)

// Config bounds a Cache. Begin with [DefaultConfig].
type Config struct {
	// Bytes bounds the packed tiles that are kept.
	Bytes int
	// Encoders bounds the tiles that are encoded at once; others wait.
	Encoders int
}

// DefaultConfig is a complete Config.
func DefaultConfig() Config { return Config{Bytes: 32 << 20, Encoders: 4} }

// ErrConfig says that a configuration makes no sense.
var ErrConfig = errors.New("tiles configuration")

// Validate returns an error that wraps ErrConfig unless a Cache can work by c.
func (c Config) Validate() error {
	if c.Bytes < 0 || c.Encoders < 1 {
		return fmt.Errorf("%w: tiles need an encoder, and no negative room", ErrConfig)
	}
	return nil
}

// Tile is a tile as it is sent. It does not change.
type Tile struct {
	packed []byte
}

// Empty reports whether the map has nothing there.
func (t Tile) Empty() bool { return len(t.packed) == 0 }

// Gzip returns the tile, packed by gzip. The caller must not change it.
func (t Tile) Gzip() []byte { return t.packed }

// Plain returns the tile unpacked, for the few clients that want it so.
func (t Tile) Plain() ([]byte, error) {
	if t.Empty() {
		return nil, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(t.packed))
	if err != nil {
		return nil, fmt.Errorf("unpack a tile: %w", err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack a tile: %w", err)
	}
	return b, nil
}

// Cache keeps the tiles of a map that were asked for last. The first tile of another map pushes them out, so that a
// city may swap its map at any time. All methods are safe for concurrent use; it starts no goroutine.
type Cache struct {
	cfg      Config
	encoders chan struct{}

	mu    sync.Mutex
	of    string // the id of the map that is kept
	kept  *simplelru.LRU[number, Tile]
	bytes int
	made  map[number]*making // under way
}

// number names a tile.
type number struct {
	of      string // the map's id
	z, x, y int
}

// making is a tile that is being encoded; others who want it wait.
type making struct {
	done chan struct{}
	tile Tile
	err  error
}

// overhead is about what the cache takes for a tile beside its bytes.
const overhead = 200

// New returns an empty cache. The error wraps ErrConfig.
func New(cfg Config) (*Cache, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Cache{cfg: cfg, encoders: make(chan struct{}, cfg.Encoders), made: map[number]*making{}}
	var err error
	// Its own bound is never met: bytes are.
	if c.kept, err = simplelru.NewLRU[number, Tile](cfg.Bytes/overhead+1, nil); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

// Tile returns a tile of a map. Who asks for one that somebody else waits for gets the same. The error wraps
// streets.ErrTile, or is the context's.
func (c *Cache) Tile(ctx context.Context, m *streets.Map, z, x, y int) (Tile, error) {
	n := number{m.ID(), z, x, y}
	for {
		c.mu.Lock()
		c.turnTo(n.of)
		if t, ok := c.kept.Get(n); ok {
			c.mu.Unlock()
			return t, nil
		}
		making, ok := c.made[n]
		if !ok {
			making = c.begin(n)
			c.mu.Unlock()
			c.make(ctx, m, n, making)
			return making.tile, making.err
		}
		c.mu.Unlock()
		select {
		case <-making.done:
		case <-ctx.Done():
			return Tile{}, fmt.Errorf("wait for a tile: %w", ctx.Err())
		}
		if making.err == nil || errors.Is(making.err, streets.ErrTile) {
			return making.tile, making.err
		}
		// Whoever made it gave up: try oneself.
	}
}

// turnTo drops the tiles of another map. The caller holds the lock.
func (c *Cache) turnTo(id string) {
	if c.of != id {
		c.of, c.bytes = id, 0
		c.kept.Purge()
	}
}

// begin announces that a tile is being made. The caller holds the lock.
func (c *Cache) begin(n number) *making {
	m := &making{done: make(chan struct{}), err: errGaveUp}
	c.made[n] = m
	return m
}

var errGaveUp = errors.New("the tile was not made")

// make makes a tile, as soon as an encoder is free, and keeps it.
func (c *Cache) make(ctx context.Context, m *streets.Map, n number, into *making) {
	defer func() { // whatever happened, no request waits for ever
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.made, n)
		if into.err == nil && n.of == c.of {
			c.keep(n, into.tile)
		}
		close(into.done)
	}()
	select {
	case c.encoders <- struct{}{}:
		defer func() { <-c.encoders }()
	case <-ctx.Done():
		into.err = fmt.Errorf("wait for an encoder: %w", ctx.Err())
		return
	}
	b, err := m.Tile(n.z, n.x, n.y)
	if err != nil {
		into.err = fmt.Errorf("encode a tile: %w", err)
		return
	}
	into.tile, into.err = Tile{pack(b)}, nil
}

// keep adds a tile and drops those that have not been asked for the longest. The caller holds the lock.
func (c *Cache) keep(n number, t Tile) {
	if len(t.packed)+overhead > c.cfg.Bytes {
		return
	}
	c.kept.Add(n, t)
	for c.bytes += len(t.packed) + overhead; c.bytes > c.cfg.Bytes; {
		_, old, _ := c.kept.RemoveOldest()
		c.bytes -= len(old.packed) + overhead
	}
}

func pack(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}
