package transport_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport/internal/manual"
)

// These tests hold docs/protocol.md, its pages of values and of a transcript, the .proto file
// and the code together. Those of
// who may send what, and of the limits, are in the package session.

func protocolPage(t *testing.T) *manual.Page {
	t.Helper()
	page, err := manual.Load("protocol.md")
	require.NoError(t, err)
	return page
}

// messagesAndValues are the pages that have the tables of all messages and enums.
func messagesAndValues(t *testing.T) *manual.Page {
	t.Helper()
	page, err := manual.Load("protocol.md", "protocol-values.md")
	require.NoError(t, err)
	return page
}

func table(t *testing.T, page *manual.Page, name string, columns int) [][]string {
	t.Helper()
	rows, err := page.Table(name)
	require.NoError(t, err)
	for _, row := range rows {
		require.Len(t, row, columns, "table %s: %v", name, row)
	}
	return rows
}

func column(rows [][]string, n int) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row[n]
	}
	return out
}

// everyMessage returns all messages of the protocol.
func everyMessage() []protoreflect.MessageDescriptor {
	var out []protoreflect.MessageDescriptor
	messages := ridepb.File_hexhail_proto.Messages()
	for i := range messages.Len() {
		out = append(out, messages.Get(i))
	}
	return out
}

// typeName is how the page writes a field's type.
func typeName(f protoreflect.FieldDescriptor) string {
	var name string
	switch f.Kind() {
	case protoreflect.StringKind:
		name = "text"
	case protoreflect.BoolKind:
		name = "boolean"
	case protoreflect.FloatKind:
		name = "number"
	case protoreflect.EnumKind:
		name = "word"
	case protoreflect.MessageKind:
		if name = string(f.Message().Name()); name == "Timestamp" {
			name = "time"
		}
	default:
		name = "integer"
	}
	if f.IsList() {
		name = "list of " + name
	}
	return name
}

func TestPageHasEveryField(t *testing.T) {
	page := messagesAndValues(t)
	var documented []string
	for _, m := range everyMessage() {
		var names, types []string
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			names, types = append(names, string(f.Name())), append(types, typeName(f))
		}
		if len(names) == 0 {
			continue
		}
		documented = append(documented, string(m.Name()))
		rows := table(t, page, "fields: "+string(m.Name()), 3)
		require.Equal(t, names, column(rows, 0), "fields of %s", m.Name())
		require.Equal(t, types, column(rows, 1), "types of %s", m.Name())
	}
	require.ElementsMatch(t, documented, page.Tables("fields: "), "a table is of no message")
}

func TestPageHasEveryWord(t *testing.T) {
	page := messagesAndValues(t)
	enums := map[string]protoreflect.EnumDescriptor{}
	add := func(prefix string, list protoreflect.EnumDescriptors) {
		for i := range list.Len() {
			enums[prefix+string(list.Get(i).Name())] = list.Get(i)
		}
	}
	add("", ridepb.File_hexhail_proto.Enums())
	for _, m := range everyMessage() {
		add(string(m.Name())+".", m.Enums())
	}
	var names []string
	for name, enum := range enums {
		names = append(names, name)
		var words []string
		for i := range enum.Values().Len() {
			words = append(words, string(enum.Values().Get(i).Name()))
		}
		require.Equal(t, words, column(table(t, page, "words: "+name, 2), 0), "words of %s", name)
	}
	require.ElementsMatch(t, names, page.Tables("words: "), "a table is of no enum")
}

// bodies returns the members of a message's oneof, in order.
func bodies(m protoreflect.MessageDescriptor) []string {
	var out []string
	fields := m.Oneofs().Get(0).Fields()
	for i := range fields.Len() {
		out = append(out, string(fields.Get(i).Name()))
	}
	return out
}

func TestPageHasASectionForEveryBody(t *testing.T) {
	page := protocolPage(t)
	for section, m := range map[string]protoreflect.MessageDescriptor{
		"Client messages": (*ridepb.ClientFrame)(nil).ProtoReflect().Descriptor(),
		"Replies":         (*ridepb.Reply)(nil).ProtoReflect().Descriptor(),
		"Events":          (*ridepb.Event)(nil).ProtoReflect().Descriptor(),
	} {
		require.Equal(t, bodies(m), page.Titles(section), section)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func TestPageHasEveryError(t *testing.T) {
	var want [][]string
	for _, e := range ride.Errors() {
		want = append(want, []string{e.Code, yesNo(e.Retryable), e.Message})
	}
	var got [][]string
	for _, row := range table(t, protocolPage(t), "errors", 4) {
		require.NotEmpty(t, row[3], "%s: when?", row[0])
		got = append(got, row[:3])
	}
	require.Equal(t, want, got)
}

func TestPageHasEveryCloseCode(t *testing.T) {
	codes := ridepb.CloseCodes()
	var sorted []ridepb.CloseCode
	for c := range codes {
		sorted = append(sorted, c)
	}
	slices.Sort(sorted)
	var want [][]string
	for _, c := range sorted {
		want = append(want, []string{strconv.Itoa(int(c)), codes[c], yesNo(c.Reconnect())})
	}
	var got [][]string
	for _, row := range table(t, protocolPage(t), "close-codes", 4) {
		require.NotEmpty(t, row[3], "%s: what to do?", row[0])
		got = append(got, row[:3])
	}
	require.Equal(t, want, got)
}

// constants returns the values of the string constants of package ride whose names
// begin with prefix, in the order of the source.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), "../ride/"+file, nil, 0)
	require.NoError(t, err)
	var out []string
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			rest, ok := strings.CutPrefix(name.Name, prefix)
			if !ok || rest == "" || i >= len(spec.Values) {
				continue
			}
			if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				out = append(out, value)
			}
		}
		return true
	})
	require.NotEmpty(t, out, "no constants %s… in %s", prefix, file)
	return out
}

func TestPageHasEveryChange(t *testing.T) {
	rows := table(t, protocolPage(t), "event-kinds", 3)
	require.Equal(t, constants(t, "event.go", "Kind"), column(rows, 0))

	// Changes that move a trip say where to.
	moves := map[string]string{}
	for _, s := range ride.Steps() {
		moves[s.Kind] = string(s.To)
	}
	for _, row := range rows {
		if to, ok := moves[row[0]]; ok {
			require.Equal(t, to, row[1], "status after %s", row[0])
		}
	}
}

func TestPageHasEveryReason(t *testing.T) {
	require.Equal(t, constants(t, "apply.go", "Reason"), column(table(t, protocolPage(t), "reasons", 3), 0))
}

func TestPageHasTheDeadlines(t *testing.T) {
	rules := ride.DefaultRules()
	minutes := func(s ride.Status, d time.Duration) []string {
		return []string{string(s), strconv.Itoa(int(d.Minutes())) + " min"}
	}
	var got [][]string
	for _, row := range table(t, protocolPage(t), "deadlines", 3) {
		value, _, _ := strings.Cut(row[1], ",")
		got = append(got, []string{row[0], value})
	}
	require.Equal(t, [][]string{
		minutes(ride.StatusRequested, rules.SearchFor), minutes(ride.StatusMatched, rules.PickupWithin),
		minutes(ride.StatusArrived, rules.BoardWithin), minutes(ride.StatusInProgress, rules.RideWithin),
	}, got)
	require.Contains(t, protocolPage(t).Text(), fmt.Sprintf("until `expires_at` (default %d s)", int(rules.Policy.OfferTTL.Seconds())))
}

func TestPageHasTheStatusGraph(t *testing.T) {
	for _, b := range protocolPage(t).Blocks() {
		if b.Info == "mermaid" {
			require.Equal(t, ride.Mermaid(), b.Text)
			return
		}
	}
	require.Fail(t, "there is no picture of the status graph")
}

var links = regexp.MustCompile(`\]\(([a-z0-9/.-]+\.md)?#([^)]*)\)`)

func TestPageLinksLead(t *testing.T) {
	for _, name := range []string{"protocol.md", "protocol-values.md", "protocol-transcript.md", "http.md"} {
		from, err := manual.Load(name)
		require.NoError(t, err)
		all := links.FindAllStringSubmatch(from.Text(), -1)
		require.True(t, len(all) > 0 || strings.Contains(from.Text(), "](protocol.md)"), "%s leads nowhere", name)
		for _, link := range all {
			to := from
			if link[1] != "" {
				to, err = manual.Load(link[1])
				require.NoError(t, err, name)
			}
			require.True(t, to.Headings()[link[2]], "%s: there is no heading for %s#%s", name, link[1], link[2])
		}
	}
}
