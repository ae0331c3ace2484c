package ws

import (
	"errors"
	"math/rand/v2"
	"time"
)

// What Send, SendLatest and [Closed.Err] can report.
var (
	// ErrClosed says that the connection takes no more messages.
	ErrClosed = errors.New("websocket: connection is closed")
	// ErrSlowConsumer says that the peer does not read fast enough: more than
	// Config.MaxQueue was waiting for it, or one write took longer than
	// Config.WriteTimeout. The connection is being closed.
	ErrSlowConsumer = errors.New("websocket: peer reads too slowly")
	// ErrSilent says that nothing came from the peer for Config.SilenceTimeout.
	ErrSilent = errors.New("websocket: peer is silent")
	// ErrAborted is the reason of a connection cut by Abort.
	ErrAborted = errors.New("websocket: connection aborted")
)

// Config bounds one connection. The zero value means the defaults. A Config may
// be shared by any number of connections and must not change afterwards.
type Config struct {
	// MaxFrame and MaxMessage bound what the peer may send, in bytes. Default 64 KiB.
	MaxFrame, MaxMessage int
	// MaxQueue bounds the bytes queued or being written for the peer, with a
	// small charge per frame. Default 256 KiB.
	MaxQueue int
	// SlowCode is the close code for a peer that exceeds MaxQueue. Default 1008.
	SlowCode Code
	// WriteTimeout bounds one write. Default 10 s.
	WriteTimeout time.Duration
	// PingInterval is the mean time between pings; each is moved by up to ±20 %,
	// so that connections made together do not ping together. Default 5 s.
	PingInterval time.Duration
	// SilenceTimeout cuts a peer from which nothing was read for so long. Time
	// that the handler takes does not count. Default 12 s.
	SilenceTimeout time.Duration
	// SilentCode is the close code for a peer that was silent for that long.
	// Default 1008.
	SilentCode Code
	// CloseTimeout bounds the wait for the peer's part of the closing handshake.
	// Default 1 s.
	CloseTimeout time.Duration
	// SendBuffer is the size of the kernel's send buffer in bytes, so that a
	// stalled peer costs a known amount there too. Default 64 KiB; negative
	// leaves it to the kernel.
	SendBuffer int
	// Observer counts. Default: nobody does.
	Observer Observer
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxFrame, 64<<10)
	setDefault(&c.MaxMessage, 64<<10)
	setDefault(&c.MaxQueue, 256<<10)
	setDefault(&c.SlowCode, CodePolicy)
	setDefault(&c.WriteTimeout, 10*time.Second)
	setDefault(&c.PingInterval, 5*time.Second)
	setDefault(&c.SilenceTimeout, 12*time.Second)
	setDefault(&c.SilentCode, CodePolicy)
	setDefault(&c.CloseTimeout, time.Second)
	setDefault(&c.SendBuffer, 64<<10)
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	return c
}

func setDefault[T comparable](v *T, fallback T) {
	if *v == *new(T) {
		*v = fallback
	}
}

// nextPing returns PingInterval ± 20 %.
func (c *Config) nextPing() time.Duration {
	return time.Duration(float64(c.PingInterval) * (0.8 + 0.4*rand.Float64()))
}

// Observer is told what connections do. All methods are called from the
// connections' goroutines, often, and must be cheap and safe for concurrent use.
type Observer interface {
	// Opened is called when a connection starts to be served.
	Opened()
	// Received is called after each read: bytes of the stream, and the messages
	// that they completed.
	Received(bytes, messages int)
	// Wrote is called after each write: bytes of the stream, and the frames in it.
	Wrote(bytes, frames int)
	// Replaced is called when a newer message took the place of one not yet written.
	Replaced()
	// Ended is called when a connection has been served.
	Ended(Closed)
}

type nobody struct{}

func (nobody) Opened()           {}
func (nobody) Received(_, _ int) {}
func (nobody) Wrote(_, _ int)    {}
func (nobody) Replaced()         {}
func (nobody) Ended(Closed)      {}
