package streets

import (
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// restriction is a rule for turning at a node.
type restriction struct {
	via      int64 // node
	from, to []int64
	only     bool // all other turns are forbidden
}

// What a relation says about turning.
type relationKind uint8

const (
	otherRelation  relationKind = iota
	turnRule                    // usable
	viaWay                      // leads over a way: not supported
	conditional                 // holds at some hours only: not supported
	brokenRelation              // lacks a part
)

// restrictionOf reads a relation.
func restrictionOf(r *pbf.Relation) (restriction, relationKind) {
	if t := r.Tags.Get("type"); t != "restriction" && !strings.HasPrefix(t, "restriction:") {
		return restriction{}, otherRelation
	}
	value := r.Tags.Get("restriction:motorcar")
	for _, key := range []string{"restriction:motor_vehicle", "restriction:vehicle", "restriction"} {
		if value == "" {
			value = r.Tags.Get(key)
		}
	}
	if value == "" {
		if slices.ContainsFunc(r.Tags, func(t pbf.Tag) bool { return t.Key == "restriction:conditional" }) {
			return restriction{}, conditional
		}
		return restriction{}, otherRelation // for lorries, bicycles, …
	}
	for v := range strings.SplitSeq(r.Tags.Get("except"), ";") {
		switch strings.TrimSpace(v) {
		case "motorcar", "motor_vehicle", "vehicle":
			return restriction{}, otherRelation
		}
	}
	x := restriction{only: strings.HasPrefix(value, "only_")}
	if !x.only && !strings.HasPrefix(value, "no_") {
		return restriction{}, brokenRelation
	}
	vias := 0
	for _, m := range r.Members {
		switch {
		case m.Role == "from" && m.Type == pbf.WayMember:
			x.from = append(x.from, m.ID)
		case m.Role == "to" && m.Type == pbf.WayMember:
			x.to = append(x.to, m.ID)
		case m.Role == "via" && m.Type == pbf.NodeMember:
			x.via, vias = m.ID, vias+1
		case m.Role == "via":
			return restriction{}, viaWay
		}
	}
	if vias != 1 || len(x.from) == 0 || len(x.to) == 0 {
		return restriction{}, brokenRelation
	}
	return x, turnRule
}
