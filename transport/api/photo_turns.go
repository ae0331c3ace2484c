package api

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/hexhail/hexhail/ride"
)

// The bounds of waiting.
const (
	// maxUploadsEach bounds the uploads in memory at once of one account, or of one network
	// for clients that are not signed in.
	maxUploadsEach = 4
	// photoWait is how long an upload waits for a decoder.
	photoWait = 5 * time.Second
)

// photos turns what people upload into small plain JPEGs, a bounded number of them at
// once. Those who are not signed in get at most half of it, so that strangers cannot keep
// others from their photos. Safe for concurrent use.
type photos struct {
	uploads, guestUploads   chan struct{} // held from before an upload is read
	decoders, guestDecoders chan struct{} // held while decoding
	memory                  *semaphore.Weighted
	waitAtMost              time.Duration

	stopping context.Context //nolint:containedctx // ends with the server, not with a call
	stop     context.CancelFunc

	mu   sync.Mutex
	each map[string]int // uploads under way by account or network; those of none are removed
}

// newPhotos bounds the uploads in memory at once, and how many of them are decoded at once.
func newPhotos(uploads, decoders int) *photos {
	p := &photos{memory: semaphore.NewWeighted(maxPhotoMemory), waitAtMost: photoWait, each: map[string]int{}}
	p.uploads, p.guestUploads = turns(uploads)
	p.decoders, p.guestDecoders = turns(decoders)
	p.stopping, p.stop = context.WithCancel(context.Background())
	return p
}

// turns returns semaphores with room for most, and for the half that strangers may take.
func turns(most int) (all, guests chan struct{}) {
	most = max(1, most)
	return make(chan struct{}, most), make(chan struct{}, max(1, most/2))
}

func errPhotosBusy() error {
	return ride.ErrUnavailable.With("Too many photos are being processed; try again in a moment.")
}

// stopped is the answer to an upload whose context has ended.
func (p *photos) stopped() error {
	if p.stopping.Err() != nil {
		return ride.ErrShuttingDown
	}
	return errPhotosBusy()
}

// enter makes room for an upload of an account, or of a network's guest, or refuses with
// ride.ErrUnavailable or ride.ErrTooMany. The context that it returns ends with the
// server, too; the caller must call the function when it is done with the upload.
func (p *photos) enter(ctx context.Context, who string, guest bool) (context.Context, func(), error) {
	if p.stopping.Err() != nil {
		return nil, nil, ride.ErrShuttingDown
	}
	if !p.count(who) {
		return nil, nil, ride.ErrTooMany.With("Too many photos at once; wait for those that are being sent.")
	}
	giveBack, ok := tryTake(p.uploads, p.guestUploads, guest)
	if !ok {
		p.uncount(who)
		return nil, nil, errPhotosBusy()
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.stopping, cancel)
	return ctx, func() {
		unhook()
		cancel()
		giveBack()
		p.uncount(who)
	}, nil
}

func (p *photos) count(who string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.each[who] >= maxUploadsEach {
		return false
	}
	p.each[who]++
	return true
}

func (p *photos) uncount(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.each[who]--; p.each[who] == 0 {
		delete(p.each, who)
	}
}

func tryTake(all, guests chan struct{}, guest bool) (giveBack func(), ok bool) {
	if guest {
		select {
		case guests <- struct{}{}:
		default:
			return nil, false
		}
	}
	select {
	case all <- struct{}{}:
	default:
		if guest {
			<-guests
		}
		return nil, false
	}
	return func() {
		<-all
		if guest {
			<-guests
		}
	}, true
}

// wait takes a decoder and so much memory, at most for a while. The caller must call the
// function afterwards. It returns ride.ErrUnavailable or ride.ErrShuttingDown.
func (p *photos) wait(ctx context.Context, memory int64, guest bool) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, p.waitAtMost)
	defer cancel()
	take := func(c chan struct{}) bool {
		select {
		case c <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	if ctx.Err() != nil || p.stopping.Err() != nil { // the context follows a stop a little later
		return nil, p.stopped()
	}
	if guest && !take(p.guestDecoders) {
		return nil, p.stopped()
	}
	done := func() {
		if guest {
			<-p.guestDecoders
		}
	}
	if !take(p.decoders) {
		done()
		return nil, p.stopped()
	}
	if p.memory.Acquire(ctx, memory) != nil {
		<-p.decoders
		done()
		return nil, p.stopped()
	}
	return func() {
		p.memory.Release(memory)
		<-p.decoders
		done()
	}, nil
}
