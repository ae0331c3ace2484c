package session

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
	"github.com/hexhail/hexhail/transport/internal/manual"
	"github.com/hexhail/hexhail/transport/ws"
)

func protocolTable(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	page, err := manual.Load("protocol.md")
	require.NoError(t, err)
	rows, err := page.Table(name)
	require.NoError(t, err)
	for _, row := range rows {
		require.Len(t, row, columns, "table %s: %v", name, row)
	}
	return rows
}

// docs/protocol.md says who may send what, and which messages need an id.
func TestPageSaysWhoMaySendWhat(t *testing.T) {
	yesNo := map[bool]string{true: "yes", false: "no"}
	needs := map[bool]string{true: "optional", false: "required"}
	var want, got [][]string
	for _, r := range frameSpecs[kindConnect:] {
		want = append(want, []string{
			r.name, needs[r.idFree], yesNo[r.roles.has(ride.RoleRider)], yesNo[r.roles.has(ride.RoleDriver)], yesNo[r.roles.has(ride.RoleOperator)],
		})
	}
	byName := map[string][]string{}
	for _, row := range protocolTable(t, "client-messages", 7) {
		byName[row[0]] = []string{row[0], row[2], row[3], row[4], row[5]}
	}
	for _, r := range frameSpecs[kindConnect:] {
		got = append(got, byName[r.name])
	}
	require.Equal(t, want, got)
	require.Len(t, byName, len(want), "a row is of no message")
}

// docs/protocol.md states the limits that are not for an operator to set; the others
// are held to the page where the configuration is known.
func TestPageSaysTheLimits(t *testing.T) {
	c := DefaultConfig()
	rate := func(perSecond, burst int) string { return fmt.Sprintf("%d per second, %d at once", perSecond, burst) }
	want := map[string]string{
		"nesting of JSON":                     fmt.Sprintf("%d levels", wire.MaxDepth),
		"a message of the server":             fmt.Sprintf("%d MiB", wire.MaxServerBytes>>20),
		"locations":                           rate(c.LocationRate, c.LocationBurst),
		"all messages":                        rate(c.FrameRate, c.FrameBurst),
		"commands and quotes without a reply": strconv.Itoa(c.MaxInFlight),
		"refused frames in a row":             strconv.Itoa(c.MaxRefused),
	}
	got := map[string]string{}
	for _, row := range protocolTable(t, "limits", 3) {
		got[row[0]] = row[1]
	}
	for limit, value := range want {
		require.Equal(t, value, got[limit], limit)
	}
}

// The page states the limits of single fields and of the handshake, too.
func TestPageSaysTheFieldLimits(t *testing.T) {
	page, err := manual.Load("protocol.md")
	require.NoError(t, err)
	for where, limit := range map[string]string{
		"fields: ClientFrame/id":             fmt.Sprintf("1 to %d bytes", maxID),
		"fields: Connect/token":              fmt.Sprintf("up to %d KiB", maxToken>>10),
		"fields: Connect/ticket":             fmt.Sprintf("up to %d bytes", maxTicket),
		"fields: Connect/client":             fmt.Sprintf("up to %d bytes", maxClient),
		"fields: Resume/epoch":               fmt.Sprintf("up to %d bytes", maxEpoch),
		"fields: GetQuote/vehicle_class":     fmt.Sprintf("up to %d bytes", maxVehicleClass),
		"fields: RequestTrip/pickup_address": fmt.Sprintf("up to %d bytes", ride.MaxAddress),
		"fields: RequestTrip/note":           fmt.Sprintf("up to %d bytes", ride.MaxNote),
		"fields: CancelTrip/reason":          fmt.Sprintf("up to %d bytes", ride.MaxReason),
		"fields: DeclineOffer/reason":        fmt.Sprintf("up to %d bytes", ride.MaxReason),
		"fields: RateTrip/comment":           fmt.Sprintf("up to %d bytes", ride.MaxComment),
		"fields: Location/accuracy_m":        "up to 100,000",
	} {
		name, field, _ := strings.Cut(where, "/")
		said := ""
		for _, row := range protocolTable(t, name, 3) {
			if row[0] == field {
				said = row[2]
			}
		}
		require.Contains(t, said, limit, where)
	}
	require.Contains(t, page.Text(), fmt.Sprintf("more than %d header lines, or more than %d KiB", ws.MaxHeaders, ws.MaxHeaderBytes>>10))
	require.Equal(t, 100_000, view.MaxAccuracyM, "the page says so")
}
