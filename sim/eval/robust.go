package eval

import "time"

// Disturbances are the variants of a case that a policy should bear: what it plans on is wrong, or people are other than
// it takes them for.
func Disturbances(c Case) []Case {
	variant := func(name string, change func(*Options)) Case {
		out := c
		out.Variant = name
		change(&out.Options)
		return out
	}
	const spread = 0.2
	return []Case{
		variant("ends of rides ± 20 %", func(o *Options) { o.SoonSpread = spread }),
		variant("ways ± 20 %", func(o *Options) { o.Plans = Plans{Noise: spread} }),
		variant("60 % say yes", func(o *Options) { o.People.Flat, o.People.Likely = true, 0.6 }),
		variant("positions 10 s old", func(o *Options) { o.Stale = 10 * time.Second }),
		variant("10 % never answer", func(o *Options) { o.People.Mute = 0.1 }),
	}
}
