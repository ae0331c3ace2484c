package eval

import (
	"fmt"
	"math"
	"time"
)

// Answer is what a driver does with an offer.
type Answer int8

// The answers.
const (
	Silent Answer = iota // lets the offer expire
	No
	Yes
)

// People says how people answer. Answers are drawn by a hash of seed, request, driver and how often this driver was
// asked for this request before, so that two policies meet the same people: their difference is that of the policies.
type People struct {
	// Name is what --model calls it.
	Name string `json:"name"`
	// Certain drivers say yes at once, Flat ones with the probability Likely whatever the way is. Others say yes
	// with the probability Likely − PerMinute × minutes to the pickup, but at least Least.
	Certain   bool    `json:"certain,omitempty"`
	Flat      bool    `json:"flat,omitempty"`
	Likely    float64 `json:"likely"`
	PerMinute float64 `json:"per_minute"`
	Least     float64 `json:"least"`
	// SilentShare of those who do not say yes let the offer expire, the others say no.
	SilentShare float64 `json:"silent_share"`
	// Reply is the median of the time to an answer, log-normal with Spread, to which Least comes Beside.
	Reply  time.Duration `json:"reply_ns"`
	Spread float64       `json:"spread"`
	Beside time.Duration `json:"beside_ns"`
	// Mute is the share of drivers who never answer.
	Mute float64 `json:"mute,omitempty"`
	// Patience is how long a rider waits for a match.
	Patience time.Duration `json:"patience_ns"`
}

// Models are the names that Model knows.
func Models() []string { return []string{"falling", "flat", "certain", "prompt", "willing"} }

// Model returns a model of people by name: falling (the usual one: the longer the way, the fewer say yes), flat (as
// the simulated city of hexhail sim), certain (everyone says yes at once), prompt (falling, without delay), willing
// (falling's delays, everyone says yes).
func Model(name string) (People, error) {
	p := People{
		Name: name, Likely: 0.92, PerMinute: 0.06, Least: 0.25, SilentShare: 0.5,
		Reply: 4 * time.Second, Spread: 0.5, Beside: time.Second, Patience: 5 * time.Minute,
	}
	switch name {
	case "falling":
	case "flat":
		p.Flat, p.Likely, p.SilentShare = true, 0.85, 1.0/3
	case "certain":
		p.Certain = true
	case "prompt":
		p.Reply, p.Beside = 0, 0
	case "willing":
		p.Flat, p.Likely = true, 1
	default:
		return p, fmt.Errorf("there is no model %q of people: choose one of %v", name, Models())
	}
	return p, nil
}

// accepts is the probability of a yes to an offer with a way of so long.
func (p *People) accepts(way time.Duration) float64 {
	if p.Certain {
		return 1
	}
	if p.Flat {
		return p.Likely
	}
	return max(p.Least, p.Likely-p.PerMinute*way.Minutes())
}

// The draws of one offer, told apart in the hash.
const (
	drawReply = 1 + iota
	drawReplyToo
	drawYes
	drawTimes = 5 // of noise in planned times
	drawMute  = 6
)

// answer is what a driver does with its n-th offer of a request, and after which time; way is how long it would
// really take to the pickup. Replies come after whole seconds.
func (p *People) answer(seed uint64, request, driver, n int, way time.Duration) (Answer, time.Duration) {
	if p.Certain {
		return Yes, 0
	}
	if p.Mute > 0 && draw(seed, driver, 0, 0, drawMute) < p.Mute {
		return Silent, 0
	}
	after := p.Beside
	if p.Reply > 0 {
		z := normal(draw(seed, request, driver, n, drawReply), draw(seed, request, driver, n, drawReplyToo))
		after += time.Duration(math.Round(p.Reply.Seconds()*math.Exp(p.Spread*z))) * time.Second
	}
	x, yes := draw(seed, request, driver, n, drawYes), p.accepts(way)
	switch {
	case x < yes:
		return Yes, after
	case x < yes+(1-yes)*(1-p.SilentShare):
		return No, after
	}
	return Silent, 0
}

// meanReply is the mean time to an answer.
func (p *People) meanReply() time.Duration {
	if p.Certain {
		return 0
	}
	return p.Beside + time.Duration(p.Reply.Seconds()*math.Exp(p.Spread*p.Spread/2)*float64(time.Second))
}

// mix spreads the bits of x (S. Vigna's SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// draw is a number between 0 and 1 that depends on the seed and the names given, and on nothing else.
func draw(seed uint64, a, b, c, kind int) float64 {
	h := mix(seed ^ mix(uint64(a)<<32|uint64(b)) ^ mix(uint64(c)<<8|uint64(kind)))
	return (float64(h>>11) + 0.5) / (1 << 53)
}

// normal turns two draws into a standard normal one (G. E. P. Box and M. E. Muller, 1958).
func normal(u, v float64) float64 { return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v) }

// seedOf spreads the small numbers that people give as seeds.
func seedOf(seed int64) uint64 { return uint64(seed) * 1000003 }
