package persistence

// treatment is what erasing a person does with a column that names the account.
type treatment int

const (
	removeRows treatment = iota // the row goes
	scrubRows                   // what names the person goes, by dedicated code; figures stay
	keepID                      // only the id stays, which by then identifies no one
)

// keyed is a column that names an account.
type keyed struct {
	table, column string
	erase         treatment
	// show lists what the export of a person has of these rows, in SQL that both engines
	// know; empty: the export has it elsewhere. No secret and no hash of one is ever shown, nor
	// what the person may not know of another: an offer's exact way leads to the rider's door.
	show []string
}

// accountKeys are all columns that name an account: the one list that erasing and export go by.
// A test compares it with the schema, so that a new table cannot be left out.
var accountKeys = []keyed{
	{table: "photos", column: "owner_id", erase: removeRows, show: []string{"id", "content_type", "data"}},
	{table: "refresh_tokens", column: "account_id", erase: removeRows, show: []string{"created_at", "expires_at", "spent_at"}},
	{table: "token_families", column: "account_id", erase: removeRows, show: []string{"expires_at", "revoked_at"}},
	{table: "known_places", column: "account_id", erase: removeRows, show: []string{"seen_at"}},
	{table: "tickets", column: "account_id", erase: removeRows, show: []string{"expires_at"}},
	{table: "live_sessions", column: "account_id", erase: removeRows, show: []string{"since"}},
	{table: "commands", column: "account_id", erase: removeRows, show: []string{"command_id", "at"}},
	{table: "trips", column: "rider_id", erase: scrubRows},
	{table: "trips", column: "driver_id", erase: scrubRows},
	{table: "offers", column: "driver_id", erase: scrubRows, show: []string{"id", "trip_id", "state", "expires_at"}},
	{table: "audit", column: "subject", erase: scrubRows, show: []string{"at", "action", "detail"}},
	{table: "audit", column: "actor", erase: keepID, show: []string{"at", "action", "subject"}},
	{table: "erasures", column: "account_id", erase: keepID},
	{table: "accounts", column: "id", erase: removeRows}, // last: what hangs on it goes first
}
