package streets

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// Road is what kind of road a street is: the value of OpenStreetMap's key highway.
type Road uint8

// The roads that cars use, the most important first. Files hold these numbers: new ones go to the
// end.
const (
	Motorway Road = iota
	Trunk
	Primary
	Secondary
	Tertiary
	Unclassified
	Residential
	LivingStreet
	MotorwayLink
	TrunkLink
	PrimaryLink
	SecondaryLink
	TertiaryLink
	Service
	roads // their number
)

// roadNames are the values of the key highway; "road", of which nothing is known, counts as
// unclassified.
var roadNames = [roads]string{
	"motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
	"motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link", "service",
}

// String returns the value of the key highway.
func (r Road) String() string {
	if r >= roads {
		return "unknown"
	}
	return roadNames[r]
}

// IsLink reports whether the road is a ramp.
func (r Road) IsLink() bool { return r >= MotorwayLink && r <= TertiaryLink }

func roadOf(highway string) (Road, bool) {
	if highway == "road" {
		return Unclassified, true
	}
	i := slices.Index(roadNames[:], highway)
	return Road(max(i, 0)), i >= 0
}

// usualKmh are the speeds without a sign; mostKmh those above which a sign is taken for a mistake,
// such as 120 mph in a city. No country's law is here: operators' own rides teach the rest.
var (
	usualKmh = [roads]uint8{80, 60, 40, 35, 30, 25, 25, 10, 45, 45, 45, 45, 45, 10}
	mostKmh  = [roads]uint8{130, 110, 90, 80, 70, 60, 60, 30, 90, 90, 90, 90, 90, 30}
)

// Flags are further properties of a street.
type Flags uint8

// The flags. Files hold these bits.
const (
	Bridge Flags = 1 << iota
	Tunnel
	Roundabout
	// Restricted marks streets for those who have business there: access=destination and the like.
	// They count as slow, like service roads, so that no way leads through them without need.
	Restricted
)

// rule is what the tags of a way mean for cars.
type rule struct {
	road        Road
	flags       Flags
	forth, back bool // may be driven in the order of its nodes, and against it
	kmh         uint8
	name        string
}

// Why a way is not driven on.
type refusal uint8

const (
	driven     refusal = iota
	notARoad           // something else, or not for cars at all
	isArea             // a square
	noAccess           // a road that is not open to everyone
	reversible         // a road whose direction depends on the hour
)

// closed are the values of access that keep cars out. "destination" and the like do not: see
// Restricted.
var closed = []string{"no", "private", "permit", "agricultural", "forestry", "emergency", "military", "psv", "bus", "taxi", "hov", "residents"}

// accessOf returns the access of cars: the most specific key decides.
func accessOf(tags pbf.Tags) string {
	for _, key := range []string{"motorcar", "motor_vehicle", "vehicle", "access"} {
		if v := tags.Get(key); v != "" {
			return v
		}
	}
	return ""
}

// shut reports whether an access keeps cars out. A list such as "agricultural;destination" does so
// only if all its values do.
func shut(access string) bool {
	if access == "" {
		return false
	}
	for v := range strings.SplitSeq(access, ";") {
		if !slices.Contains(closed, strings.TrimSpace(v)) {
			return false
		}
	}
	return true
}

// ruleOf reads the tags of a way.
func ruleOf(tags pbf.Tags) (rule, refusal) {
	road, ok := roadOf(tags.Get("highway"))
	if !ok {
		return rule{}, notARoad
	}
	if tags.Get("area") == "yes" {
		return rule{}, isArea
	}
	access := accessOf(tags)
	if shut(access) || tags.Get("service") == "emergency_access" {
		return rule{}, noAccess
	}
	r := rule{road: road, kmh: usualKmh[road], name: clean(tags.Get("name"))}
	if r.name == "" {
		r.name = clean(tags.Get("ref"))
	}
	r.forth, r.back, ok = directions(tags, road)
	if !ok {
		return rule{}, reversible
	}
	if v := speedOf(tags.Get("maxspeed")); v > 0 && v <= float64(mostKmh[road]) {
		r.kmh = max(uint8(v+0.5), 1)
	}
	switch access {
	case "destination", "customers", "delivery":
		r.flags |= Restricted
	}
	if v := tags.Get("bridge"); v != "" && v != "no" {
		r.flags |= Bridge
	}
	if v := tags.Get("tunnel"); v != "" && v != "no" {
		r.flags |= Tunnel
	}
	if round(tags) {
		r.flags |= Roundabout
	}
	return r, driven
}

func round(tags pbf.Tags) bool {
	j := tags.Get("junction")
	return j == "roundabout" || j == "circular"
}

// directions returns the ways in which a road may be driven. ok is false if that depends on the hour.
func directions(tags pbf.Tags, road Road) (forth, back, ok bool) {
	switch tags.Get("oneway") {
	case "yes", "true", "1":
		return true, false, true
	case "-1", "reverse":
		return false, true, true
	case "no", "false", "0":
		return true, true, true
	case "reversible", "alternating":
		return false, false, false
	}
	oneWay := road == Motorway || round(tags) // implied; links do not imply it
	return true, !oneWay, true
}

// speedOf reads a speed in km/h: "50", "50 km/h", "30 mph". Of a list, such as lanes have, the
// lowest counts. It is 0 for words such as "none" or "walk", and for
// everything else that is not a number.
func speedOf(s string) float64 {
	least := 0.0
	for part := range strings.SplitSeq(s, ";") {
		part, factor := strings.TrimSpace(part), 1.0
		if p, ok := strings.CutSuffix(part, "mph"); ok {
			part, factor = p, 1.609344
		}
		part = strings.TrimSpace(strings.TrimSuffix(part, "km/h"))
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || !(v > 0) {
			return 0
		}
		if v *= factor; least == 0 || v < least {
			least = v
		}
	}
	return least
}

// maxName bounds a name, in bytes.
const maxName = 255

// clean makes a name printable and bounds it.
func clean(name string) string {
	if len(name) > maxName {
		name = name[:maxName]
	}
	name = strings.ToValidUTF8(name, "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, name))
}

// What a node does to the streets that meet there.
type nodeFlags uint8

const (
	hasSignal nodeFlags = 1 << iota
	isBlocked           // cars cannot pass, so the streets end on both sides
)

// nodeFlagsOf reads the tags of a node.
func nodeFlagsOf(tags pbf.Tags) (f nodeFlags) {
	if tags.Get("highway") == "traffic_signals" {
		f |= hasSignal
	}
	access := accessOf(tags)
	switch tags.Get("barrier") {
	case "bollard", "block", "chain", "jersey_barrier", "planter", "log", "debris":
		if access == "" || shut(access) { // some are removed for cars, and say so
			f |= isBlocked
		}
	case "gate", "lift_gate", "swing_gate", "sliding_gate":
		if shut(access) {
			f |= isBlocked
		}
	}
	return f
}
