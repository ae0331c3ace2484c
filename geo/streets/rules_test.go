package streets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// tags reads "highway=primary oneway=yes"; an underscore in a value stays one.
func tags(s string) (out pbf.Tags) {
	for f := range strings.FieldsSeq(s) {
		k, v, _ := strings.Cut(f, "=")
		out = append(out, pbf.Tag{Key: k, Value: strings.ReplaceAll(v, "~", " ")})
	}
	return out
}

func TestRules(t *testing.T) {
	both, forth, back := [2]bool{true, true}, [2]bool{true, false}, [2]bool{false, true}
	for text, want := range map[string]struct {
		why   refusal
		road  Road
		kmh   uint8
		open  [2]bool
		flags Flags
	}{
		// Roads and what is none.
		"highway=primary":                 {driven, Primary, 40, both, 0},
		"highway=road":                    {driven, Unclassified, 25, both, 0},
		"highway=living_street":           {driven, LivingStreet, 10, both, 0},
		"highway=service":                 {driven, Service, 10, both, 0},
		"highway=pedestrian":              {why: notARoad},
		"highway=footway":                 {why: notARoad},
		"highway=construction":            {why: notARoad},
		"building=yes":                    {why: notARoad},
		"highway=service area=yes":        {why: isArea},
		"highway=tertiary bridge=yes":     {driven, Tertiary, 30, both, Bridge},
		"highway=tertiary bridge=no":      {driven, Tertiary, 30, both, 0},
		"highway=tertiary tunnel=covered": {driven, Tertiary, 30, both, Tunnel},

		// One-way streets in all their forms.
		"highway=residential oneway=yes":                           {driven, Residential, 25, forth, 0},
		"highway=residential oneway=true":                          {driven, Residential, 25, forth, 0},
		"highway=residential oneway=1":                             {driven, Residential, 25, forth, 0},
		"highway=residential oneway=-1":                            {driven, Residential, 25, back, 0},
		"highway=residential oneway=reverse":                       {driven, Residential, 25, back, 0},
		"highway=residential oneway=no":                            {driven, Residential, 25, both, 0},
		"highway=residential oneway=maybe":                         {driven, Residential, 25, both, 0},
		"highway=residential oneway=reversible":                    {why: reversible},
		"highway=residential oneway=alternating":                   {why: reversible},
		"highway=motorway":                                         {driven, Motorway, 80, forth, 0},
		"highway=motorway oneway=no":                               {driven, Motorway, 80, both, 0},
		"highway=motorway_link":                                    {driven, MotorwayLink, 45, both, 0},
		"highway=tertiary junction=roundabout":                     {driven, Tertiary, 30, forth, Roundabout},
		"highway=tertiary junction=circular":                       {driven, Tertiary, 30, forth, Roundabout},
		"highway=tertiary junction=roundabout oneway=-1 bridge=no": {driven, Tertiary, 30, back, Roundabout},

		// Access: the most specific key decides.
		"highway=primary access=no":                              {why: noAccess},
		"highway=primary access=private":                         {why: noAccess},
		"highway=primary access=permit":                          {why: noAccess},
		"highway=primary vehicle=agricultural":                   {why: noAccess},
		"highway=primary motor_vehicle=forestry":                 {why: noAccess},
		"highway=primary motorcar=emergency":                     {why: noAccess},
		"highway=primary access=no motor_vehicle=yes":            {driven, Primary, 40, both, 0},
		"highway=primary access=yes motorcar=no":                 {why: noAccess},
		"highway=primary access=agricultural;forestry":           {why: noAccess},
		"highway=primary motor_vehicle=agricultural;destination": {driven, Primary, 40, both, 0},
		"highway=primary access=destination":                     {driven, Primary, 40, both, Restricted},
		"highway=service access=customers":                       {driven, Service, 10, both, Restricted},
		"highway=primary access=permissive":                      {driven, Primary, 40, both, 0},
		"highway=service service=emergency_access":               {why: noAccess},
		"highway=service service=driveway":                       {driven, Service, 10, both, 0},

		// Speeds: a sign that no such road has is a mistake.
		"highway=secondary maxspeed=50":         {driven, Secondary, 50, both, 0},
		"highway=secondary maxspeed=25~mph":     {driven, Secondary, 40, both, 0},
		"highway=secondary maxspeed=25mph":      {driven, Secondary, 40, both, 0},
		"highway=secondary maxspeed=60~km/h":    {driven, Secondary, 60, both, 0},
		"highway=secondary maxspeed=120~mph":    {driven, Secondary, 35, both, 0},
		"highway=secondary maxspeed=80~mph":     {driven, Secondary, 35, both, 0},
		"highway=motorway maxspeed=120":         {driven, Motorway, 120, forth, 0},
		"highway=motorway maxspeed=none":        {driven, Motorway, 80, forth, 0},
		"highway=secondary maxspeed=walk":       {driven, Secondary, 35, both, 0},
		"highway=secondary maxspeed=RU:urban":   {driven, Secondary, 35, both, 0},
		"highway=secondary maxspeed=50;30":      {driven, Secondary, 30, both, 0},
		"highway=secondary maxspeed=-5":         {driven, Secondary, 35, both, 0},
		"highway=secondary maxspeed=NaN":        {driven, Secondary, 35, both, 0},
		"highway=secondary maxspeed=0.2":        {driven, Secondary, 1, both, 0},
		"highway=living_street maxspeed=20~mph": {driven, LivingStreet, 10, both, 0},
	} {
		r, why := ruleOf(tags(text))
		require.Equal(t, want.why, why, text)
		if why == driven {
			require.Equal(t, want.road, r.road, text)
			require.Equal(t, want.kmh, r.kmh, text)
			require.Equal(t, want.open, [2]bool{r.forth, r.back}, text)
			require.Equal(t, want.flags, r.flags, text)
		}
	}
}

func TestNamesAreClean(t *testing.T) {
	for name, want := range map[string]string{
		"  West 34th\tStreet\n": "West 34th Street", "테헤란로": "테헤란로", "a\xffb": "ab", strings.Repeat("ü", 200): strings.Repeat("ü", 127),
	} {
		r, _ := ruleOf(pbf.Tags{{Key: "highway", Value: "primary"}, {Key: "name", Value: name}})
		require.Equal(t, want, r.name)
	}
	r, _ := ruleOf(tags("highway=motorway_link ref=I~95"))
	require.Equal(t, "I 95", r.name, "a road without a name has its number")
	require.True(t, MotorwayLink.IsLink())
	require.False(t, Service.IsLink())
	require.Equal(t, "living_street", LivingStreet.String())
	require.Equal(t, "unknown", roads.String())
}

func TestNodeRules(t *testing.T) {
	for text, want := range map[string]nodeFlags{
		"highway=traffic_signals":                     hasSignal,
		"highway=crossing":                            0,
		"barrier=bollard":                             isBlocked,
		"barrier=bollard motor_vehicle=yes":           0,
		"barrier=bollard access=no":                   isBlocked,
		"barrier=block":                               isBlocked,
		"barrier=chain":                               isBlocked,
		"barrier=jersey_barrier":                      isBlocked,
		"barrier=gate":                                0,
		"barrier=gate access=private":                 isBlocked,
		"barrier=gate access=no":                      isBlocked,
		"barrier=lift_gate motorcar=no":               isBlocked,
		"barrier=gate access=no motor_vehicle=yes":    0,
		"barrier=toll_booth":                          0,
		"barrier=kerb":                                0,
		"barrier=bollard highway=traffic_signals":     isBlocked | hasSignal,
		"access=private":                              0,
		"barrier=swing_gate vehicle=no":               isBlocked,
		"barrier=bollard motor_vehicle=no access=yes": isBlocked,
	} {
		require.Equal(t, want, nodeFlagsOf(tags(text)), text)
	}
}

func TestRestrictionRules(t *testing.T) {
	members := []pbf.Member{{Type: pbf.WayMember, ID: 1, Role: "from"}, {Type: pbf.NodeMember, ID: 2, Role: "via"}, {Type: pbf.WayMember, ID: 3, Role: "to"}}
	for text, want := range map[string]relationKind{
		"type=restriction restriction=no_left_turn":                                     turnRule,
		"type=restriction restriction=only_straight_on":                                 turnRule,
		"type=restriction:motorcar restriction:motorcar=no_u_turn":                      turnRule,
		"type=restriction restriction=no_left_turn except=psv;bicycle":                  turnRule,
		"type=restriction restriction=no_left_turn except=psv;~motorcar":                otherRelation,
		"type=restriction restriction=no_left_turn restriction:motorcar=only_left_turn": turnRule,
		"type=restriction restriction:hgv=no_left_turn":                                 otherRelation,
		"type=restriction restriction:conditional=no_left_turn~@~(Mo-Fr)":               conditional,
		"type=restriction restriction=give_way":                                         brokenRelation,
		"type=multipolygon":                                                             otherRelation,
	} {
		got, kind := restrictionOf(&pbf.Relation{Tags: tags(text), Members: members})
		require.Equal(t, want, kind, text)
		if kind == turnRule {
			require.Equal(t, strings.Contains(text, "only_"), got.only, text)
			require.Equal(t, []int64{1}, got.from)
			require.Equal(t, []int64{3}, got.to)
			require.Equal(t, int64(2), got.via)
		}
	}
	rule := tags("type=restriction restriction=no_left_turn")
	for name, c := range map[string]struct {
		members []pbf.Member
		want    relationKind
	}{
		"no via":    {[]pbf.Member{members[0], members[2]}, brokenRelation},
		"two vias":  {append([]pbf.Member{members[1]}, members...), brokenRelation},
		"no to":     {members[:2], brokenRelation},
		"a via way": {[]pbf.Member{members[0], {Type: pbf.WayMember, ID: 9, Role: "via"}, members[2]}, viaWay},
	} {
		_, kind := restrictionOf(&pbf.Relation{Tags: rule, Members: c.members})
		require.Equal(t, c.want, kind, name)
	}
}
