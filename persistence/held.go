package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/hexhail/hexhail/ride"
)

// maxHeld bounds the rows of one table in an export, the newest ones by the column that orders
// them where that matters; no one comes near it except on purpose.
const maxHeld = 50_000

// Held returns all rows that name an account, besides the account itself and its trips, table by
// table: what the export of a person has of them. No secret is among them.
func (s *Store) Held(ctx context.Context, id ride.AccountID) (map[string][]ride.HeldRow, error) {
	out := make(map[string][]ride.HeldRow)
	for _, k := range accountKeys {
		if len(k.show) == 0 {
			continue
		}
		rows, err := list(ctx, s.read, func(r *sql.Rows) (ride.HeldRow, error) { return scanHeld(r, k.show) },
			`SELECT `+strings.Join(k.show, ", ")+` FROM `+k.table+` WHERE `+k.column+` = $1 LIMIT $2`, string(id), maxHeld)
		if err != nil {
			return nil, s.failure("read what is held", err)
		}
		name := k.table
		if k.column == "actor" {
			name = "audit_by_account"
		}
		out[name] = rows
	}
	return out, nil
}

// scanHeld reads a row as its export shows it: times as texts, JSON as it is, and bytes in base64.
func scanHeld(r *sql.Rows, columns []string) (ride.HeldRow, error) {
	values := make([]any, len(columns))
	dest := make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	row := make(ride.HeldRow, len(columns))
	for i, name := range columns {
		row[name] = heldValue(name, values[i])
	}
	return row, nil
}

func heldValue(column string, v any) any {
	text, isText := v.(string)
	switch us, isTime := v.(int64); {
	case isTime && (column == "at" || strings.HasSuffix(column, "_at")):
		return fromMicros(us)
	case isText && (column == "data" || column == "detail") && json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	return v
}
