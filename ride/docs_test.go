package ride_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

const semantics = "../docs/semantics.md"

// TestSemanticsPageIsUpToDate makes the parts of the page that come from the code,
// and compares; with HEXHAIL_UPDATE=1 it writes them.
func TestSemanticsPageIsUpToDate(t *testing.T) {
	b, err := os.ReadFile(semantics)
	require.NoError(t, err)
	page := string(b)
	for name, text := range map[string]string{
		"ride.Mermaid":        "```mermaid\n" + ride.Mermaid() + "```\n",
		"ride.DefaultRules":   limitsTable(ride.DefaultRules()),
		"ride.DefaultPolicy":  policyTable(ride.DefaultPolicy()),
		"ride.DefaultTariffs": tariffTable(ride.DefaultTariffs()),
	} {
		begin, end := "<!-- made by "+name+": begin -->\n", "<!-- made by "+name+": end -->\n"
		head, rest, ok := strings.Cut(page, begin)
		require.True(t, ok, "the page has no place for %s", name)
		_, tail, ok := strings.Cut(rest, end)
		require.True(t, ok, "the place for %s has no end", name)
		page = head + begin + text + end + tail
	}
	if os.Getenv("HEXHAIL_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(semantics, []byte(page), 0o644))
		return
	}
	require.Equal(t, page, string(b), "run: HEXHAIL_UPDATE=1 go test ./ride")
}

// short writes a duration without its empty ends.
func short(d time.Duration) string {
	s := d.String()
	for _, unit := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, unit) {
			s = s[:len(s)-2]
		}
	}
	return s
}

func limitsTable(r ride.Rules) string {
	return "| status | setting | default | when it passes |\n|---|---|---|---|\n" +
		fmt.Sprintf("| requested | `trip-search-for` | %s | expired |\n", short(r.SearchFor)) +
		fmt.Sprintf("| matched | `trip-pickup-within` | %s | cancelled, `%s` |\n", short(r.PickupWithin), ride.ReasonDriverNoShow) +
		fmt.Sprintf("| arrived | `trip-board-within` | %s | cancelled, `%s` |\n", short(r.BoardWithin), ride.ReasonRiderNoShow) +
		fmt.Sprintf("| in_progress | `trip-ride-within` | %s | completed, for the estimated fare |\n", short(r.RideWithin))
}

func policyTable(p ride.Policy) string {
	var b strings.Builder
	b.WriteString("| setting | default | meaning |\n|---|---|---|\n")
	for _, row := range [][3]any{
		{"dispatch-policy", p.Kind, "`nearest`, `batch`, `broadcast` or `sequential`"},
		{"dispatch-hold", "no", "whether a driver who is asked holds no other offer under `broadcast` and `sequential` too"},
		{"dispatch-place", "by-policy", "where ways to the pickup end when drivers are chosen: `door`, `cell`, or the policy's own"},
		{"dispatch-max-eta", short(p.MaxETA), "longest way to the pickup for which a driver is asked; `0s`: any"},
		{"dispatch-award", p.Award, "`first` or `best_eta`"},
		{"dispatch-award-window", short(p.AwardWindow), "how long acceptances are gathered under `best_eta`"},
		{"dispatch-cap", p.Cap, "most offers open at once under `broadcast`"},
		{"dispatch-ring-start", p.RingStart, "rings of the first wave"},
		{"dispatch-ring-step", p.RingStep, "rings that each wave adds"},
		{"dispatch-ring-max", p.RingMax, "rings of the widest wave"},
		{"dispatch-wave-every", short(p.WaveEvery), "time between waves, and how long a resting driver is left in peace"},
		{"dispatch-offer-ttl", short(p.OfferTTL), "how long a driver may think"},
		{"dispatch-asks-per-driver", p.AsksPerDriver, "how often a driver may let the same trip's offer expire"},
		{"dispatch-exchanges", p.Exchanges, "how often a trip may change its driver before the pickup; 0: never"},
		{"dispatch-exchange-fare", p.ExchangeFare, "least fare estimate, in percent of the one given up, for a driver who is not asked"},
	} {
		fmt.Fprintf(&b, "| `%s` | %v | %s |\n", row[0], row[1], row[2])
	}
	return b.String()
}

func tariffTable(ts ride.Tariffs) string {
	var b strings.Builder
	b.WriteString("| class | currency | base | per km | per minute | minimum | seats | 3.2 km in 11 min |\n|---|---|---|---|---|---|---|---|\n")
	for _, t := range ts {
		f, err := t.Price(3200, 11*time.Minute)
		if err != nil {
			panic(err) // a default tariff that cannot price a usual ride
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d + %d + %d + %d = %d |\n", t.Class, t.Currency,
			t.Base, t.PerKm, t.PerMinute, t.Minimum, t.Seats, f.Base, f.Distance, f.Time, f.MinimumTopUp, f.Total)
	}
	return b.String()
}

// TestSemanticsPageNamesTestsThatExist: a promise is worth the test behind it.
func TestSemanticsPageNamesTestsThatExist(t *testing.T) {
	b, err := os.ReadFile(semantics)
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(b), -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		files, err := filepath.Glob("../" + m[1] + "/*.go") // suites such as those of storetest are in no test file
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(files, func(file string) bool {
			source, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(source), "\nfunc "+m[2]+"(")
		}), "%s has no %s", m[1], m[2])
	}
	// A paragraph that names stories does so between "stories" and ride.TestStories.
	for _, m := range regexp.MustCompile("(?s)stor(?:y|ies) (`[^.]*?) of\\s+`ride.TestStories`").FindAllStringSubmatch(string(b), -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[1], -1) {
			require.FileExists(t, "testdata/stories/"+name[1]+".txt")
		}
	}
}

// TestStepsAreAGraph: every status can be reached, and every one that is not final
// has a way out.
func TestStepsAreAGraph(t *testing.T) {
	in, out := map[ride.Status]bool{}, map[ride.Status]bool{}
	seen := map[ride.Step]bool{}
	for _, s := range ride.Steps() {
		require.False(t, seen[s], "%v twice", s)
		seen[s], in[s.To], out[s.From] = true, true, true
		require.False(t, s.From.Final(), "%v leads out of a final status", s)
	}
	for s := range in {
		require.Equal(t, !s.Final(), out[s], "%s", s)
		require.Equal(t, !s.Final(), s.Live(), "%s", s)
	}
	require.Len(t, in, 7)
}
