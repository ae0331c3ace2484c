package ws

import (
	"errors"
	"fmt"
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

// Config bounds one connection. Begin with [DefaultConfig]: a zero is a zero. A Config
// may be shared by any number of connections and must not change afterwards.
type Config struct {
	// MaxFrame and MaxMessage bound what the peer may send, in bytes.
	MaxFrame, MaxMessage int
	// MaxQueue bounds the bytes queued or being written for the peer, with a
	// small charge per frame.
	MaxQueue int
	// SlowCode is the close code for a peer that exceeds MaxQueue.
	SlowCode Code
	// WriteTimeout bounds one write.
	WriteTimeout time.Duration
	// PingInterval is the mean time between pings; each is moved by up to ±20 %,
	// so that connections made together do not ping together.
	PingInterval time.Duration
	// SilenceTimeout cuts a peer from which nothing was read for so long. Time
	// that the handler takes does not count.
	SilenceTimeout time.Duration
	// SilentCode is the close code for a peer that was silent for that long.
	SilentCode Code
	// CloseTimeout bounds the wait for the peer's part of the closing handshake.
	CloseTimeout time.Duration
	// SendBuffer is the size of the kernel's send buffer in bytes, so that a
	// stalled peer costs a known amount there too; 0 leaves it to the kernel.
	SendBuffer int
	// Observer counts; nil: none.
	Observer Observer
}

// DefaultConfig is a complete Config.
func DefaultConfig() Config {
	return Config{
		MaxFrame: 64 << 10, MaxMessage: 64 << 10, MaxQueue: 256 << 10,
		SlowCode: CodePolicy, WriteTimeout: 10 * time.Second,
		PingInterval: 5 * time.Second, SilenceTimeout: 10 * time.Second, SilentCode: CodePolicy,
		CloseTimeout: time.Second, SendBuffer: 64 << 10,
	}
}

// ErrConfig says that a Config cannot work.
var ErrConfig = errors.New("websocket configuration")

// Validate returns an error that wraps ErrConfig unless connections can work by c.
func (c Config) Validate() error {
	switch {
	case c.MaxFrame <= 0 || c.MaxMessage <= 0 || c.MaxQueue <= 0:
		return fmt.Errorf("%w: frames, messages and the queue need room", ErrConfig)
	case c.SlowCode == 0 || c.SilentCode == 0:
		return fmt.Errorf("%w: slow and silent peers need a close code", ErrConfig)
	case c.WriteTimeout <= 0 || c.PingInterval <= 0 || c.SilenceTimeout <= 0 || c.CloseTimeout <= 0:
		return fmt.Errorf("%w: writes, pings, silence and the closing handshake need time", ErrConfig)
	case c.SendBuffer < 0:
		return fmt.Errorf("%w: a send buffer cannot be negative", ErrConfig)
	}
	return nil
}

// nextPing returns PingInterval ± 20 %.
func (c *Config) nextPing() time.Duration {
	return time.Duration(float64(c.PingInterval) * (0.8 + 0.4*rand.Float64()))
}

// Observer is notified of what connections do. All methods are called from the
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

type noObserver struct{}

func (noObserver) Opened()           {}
func (noObserver) Received(_, _ int) {}
func (noObserver) Wrote(_, _ int)    {}
func (noObserver) Replaced()         {}
func (noObserver) Ended(Closed)      {}
