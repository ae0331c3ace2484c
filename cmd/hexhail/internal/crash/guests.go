package crash

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/client"
)

// The times of guests.
const (
	guestEach   = 2 * time.Second // between two of them
	guestMeets  = 5 * time.Second // for its session to begin
	guestBarred = 5 * time.Second // for the operator's request
)

// bars are how operators end a guest's access, in turn, and the code with which its socket must be closed.
var bars = []struct {
	action string
	code   ridepb.CloseCode
}{{"suspend", ridepb.CloseSuspended}, {"logout", ridepb.CloseRevoked}}

// guests are accounts beside the city. Each begins a session on one node, and then loses its access
// through another.
type guests struct {
	*cluster
	stop context.CancelFunc
	done sync.WaitGroup

	mu   sync.Mutex
	open []*guest // may have a session
}

// guest is one account. Its methods are called from its client's goroutine.
type guest struct {
	guests *guests
	name   string
	node   int // of its session
	client *client.Client
	met    chan string // its account, once its first session has begun

	connected bool // for the client's goroutine
}

var _ client.Handler = (*guest)(nil)

// invite begins to invite guests, until leave is called.
func (c *cluster) invite() {
	ctx, stop := context.WithCancel(context.Background())
	c.guests = &guests{cluster: c, stop: stop}
	c.guests.done.Go(func() { c.guests.run(ctx) })
}

// run invites one guest after the other.
func (g *guests) run(ctx context.Context) {
	for n := 0; g.pause(ctx, guestEach); n++ {
		g.receive(ctx, n)
	}
}

// receive lets a guest connect, and ends its access through a node that changes from guest to guest of one
// node.
func (g *guests) receive(ctx context.Context, n int) {
	nodes := len(g.nodes)
	x := &guest{guests: g, name: fmt.Sprintf("%sguest-%d", g.prefix, n), node: n % nodes, met: make(chan string, 1)}
	x.client = client.Start(context.WithoutCancel(ctx), client.Config{
		URLs: []string{g.nodes[x.node].socket}, Codec: wire.Binary, Name: "hexhail-sim", Handler: x,
		Token: func() (string, error) { return g.issuer.Token("rider", x.name) },
	})
	meets := time.NewTimer(guestMeets)
	defer meets.Stop()
	select {
	case account := <-x.met:
		bar := bars[n%len(bars)]
		asked, cancel := context.WithTimeout(ctx, guestBarred)
		defer cancel()
		if g.readers[(n+n/nodes)%nodes].Bar(asked, account, bar.action) == nil {
			g.city.Note(check.Record{What: check.Barred, Who: x.name, Role: "rider", Account: account, Code: strconv.Itoa(int(bar.code))})
			g.mu.Lock()
			g.open = append(g.open, x)
			g.mu.Unlock()
			return
		}
	case <-meets.C: // its node is down, or cut off
	case <-ctx.Done():
	}
	x.client.Close()
	g.city.Note(check.Record{What: check.Lost, Who: x.name, Role: "rider"}) // nothing is known of it any more
}

// leave ends the guests' sessions that are still open. More calls do nothing.
func (g *guests) leave() {
	if g == nil {
		return
	}
	g.uninvite()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, x := range g.open {
		x.client.Close()
	}
	g.open = nil
}

// uninvite waits until no more guests come.
func (g *guests) uninvite() {
	g.stop()
	g.done.Wait()
}

// Connected implements client.Handler.
func (x *guest) Connected(c *ridepb.Connected, first bool) {
	x.connected = true
	x.guests.city.Note(check.Record{
		What: check.Connected, Who: x.name, Role: "rider", Account: c.GetAccountId(), Epoch: c.GetEpoch(), Seq: c.GetSeq(),
		Resumed: c.GetResumed(), Node: x.node,
	})
	if first {
		x.met <- c.GetAccountId()
	}
}

// Event implements client.Handler.
func (x *guest) Event(e *ridepb.Event) {
	x.guests.city.Note(check.Record{What: check.OtherNews, Who: x.name, Role: "rider", Epoch: e.GetEpoch(), Seq: e.GetSeq()})
}

// Down implements client.Handler.
func (x *guest) Down(d client.Down) {
	if x.connected {
		x.connected = false
		x.guests.city.Note(check.Record{What: check.Lost, Who: x.name, Role: "rider", Code: strconv.Itoa(d.Code)})
	}
}
