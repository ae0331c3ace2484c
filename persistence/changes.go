package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
)

const (
	// accountChannel is where Postgres announces the ids of changed accounts. Channels belong to a
	// database, so a listener also hears of the accounts of other schemas.
	accountChannel = "hexhail_accounts"

	// sqlPostgresClock is the server's clock in microseconds, at this moment of a transaction.
	sqlPostgresClock = `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`

	// sqlChangedAccounts reads the clock and what changed lately by it, in one round trip: the row
	// without an id has the clock. Once a clock that was ahead has been set right, what it stamped is
	// in the future.
	sqlChangedAccounts = `WITH clock AS (SELECT %s AS now)
		SELECT now, '' AS id, 0 AS at FROM clock
		UNION ALL SELECT 0, id, changed_at FROM (SELECT id, changed_at FROM accounts
			WHERE changed_at BETWEEN (SELECT now FROM clock) - CAST($1 AS BIGINT) AND (SELECT now FROM clock) + CAST($1 AS BIGINT)
			ORDER BY changed_at DESC LIMIT $2) AS changed
		UNION ALL SELECT 0, account_id, changed_at FROM (SELECT account_id, changed_at FROM erasures
			WHERE changed_at BETWEEN (SELECT now FROM clock) - CAST($1 AS BIGINT) AND (SELECT now FROM clock) + CAST($1 AS BIGINT)
			ORDER BY changed_at DESC LIMIT $2) AS erased`

	// sqlUpdatedAt sets updated_at to $1, but never back: this server's clock may be behind that of the
	// one that made the change before, and sessions ignore a record older than theirs.
	sqlUpdatedAt = `updated_at = CASE WHEN updated_at > CAST($1 AS BIGINT) THEN updated_at + 1 ELSE CAST($1 AS BIGINT) END`
)

// stampAccount notes, in the transaction of a change that an account's sessions must follow, when it
// was made; on Postgres it also announces the account, once the transaction has committed. Call it
// last: ChangedAccounts allows little time between the stamp and the commit. It locks the account's
// row, and a transaction that locks log-ins as well locks those first.
func (s *Store) stampAccount(ctx context.Context, tx *sql.Tx, id ride.AccountID) error {
	return s.stamp(ctx, tx, `UPDATE accounts SET changed_at = %s WHERE id = $1`, id)
}

// stampErasure is stampAccount for an account that has just been erased.
func (s *Store) stampErasure(ctx context.Context, tx *sql.Tx, id ride.AccountID) error {
	return s.stamp(ctx, tx, `UPDATE erasures SET changed_at = %s WHERE account_id = $1`, id)
}

func (s *Store) stamp(ctx context.Context, tx *sql.Tx, update string, id ride.AccountID) error {
	var err error
	if s.Notifies() {
		update = fmt.Sprintf(update, sqlPostgresClock)
		_, err = tx.ExecContext(ctx, `WITH stamped AS (`+update+`) SELECT pg_notify('`+accountChannel+`', $1)`, string(id))
	} else {
		_, err = tx.ExecContext(ctx, fmt.Sprintf(update, "$2"), string(id), micros(s.now()))
	}
	if err != nil {
		return fmt.Errorf("stamp account: %w", err)
	}
	return nil
}

// databaseNow is the database's clock; on SQLite that is the store's.
func (s *Store) databaseNow(ctx context.Context) (time.Time, error) {
	if !s.Notifies() {
		return ride.Clean(s.now()), nil
	}
	var us int64
	if err := s.read.QueryRowContext(ctx, `SELECT `+sqlPostgresClock).Scan(&us); err != nil {
		return time.Time{}, err
	}
	return fromMicros(us), nil
}

// AccountChange is the newest change of an account that its sessions must follow.
type AccountChange struct {
	ID ride.AccountID
	At time.Time // by the database's clock; two changes of one account differ in it
}

// AccountChanges is what ChangedAccounts found.
type AccountChanges struct {
	Now     time.Time // by the database's clock, before anything was read
	Changes []AccountChange
	More    bool // there are more changes than were asked for
}

// ChangedAccounts returns the accounts that changed within the given time by the database's clock, on
// whichever server or command line: their log-ins, status, approval or profile. Erased accounts are
// among them. It returns at most limit changes.
//
// A transaction is stamped a moment before it commits, so a change may appear with a time that an
// earlier call had passed: ask for more time than has passed since that call.
func (s *Store) ChangedAccounts(ctx context.Context, within time.Duration, limit int) (AccountChanges, error) {
	clock, args := sqlPostgresClock, []any{within.Microseconds(), limit + 1}
	if !s.Notifies() {
		clock, args = `CAST($3 AS BIGINT)`, append(args, micros(s.now()))
	}
	var out AccountChanges
	found, err := list(ctx, s.read, func(r *sql.Rows) (c AccountChange, err error) {
		var now, at int64
		if err = r.Scan(&now, &c.ID, &at); now != 0 {
			out.Now = fromMicros(now)
		}
		c.At = fromMicros(at)
		return c, err
	}, fmt.Sprintf(sqlChangedAccounts, clock), args...)
	if err != nil {
		return AccountChanges{}, s.failure("read changed accounts", err)
	}
	out.Changes = slices.DeleteFunc(found, func(c AccountChange) bool { return c.ID == "" })
	if out.More = len(out.Changes) > limit; out.More {
		out.Changes = out.Changes[:limit]
	}
	return out, nil
}

// Standing is what the sessions of an account depend on.
type Standing struct {
	Account   ride.Account
	Live      []string  // of the log-ins that were asked about, those that still count
	ChangedAt time.Time // as in AccountChange; zero: never
}

// standingsChunk bounds the accounts, and the log-ins, of one statement.
const standingsChunk = 250

// Standings reads accounts, and which of the given log-ins of each still count. It leaves out accounts
// that do not exist. What it says of one account holds at one instant: a suspension, which ends all
// log-ins, never looks like a log-out.
func (s *Store) Standings(ctx context.Context, logIns map[ride.AccountID][]string) (map[ride.AccountID]Standing, error) {
	out := make(map[ride.AccountID]Standing, len(logIns))
	var ids []ride.AccountID
	families := 0
	flush := func() error {
		if len(ids) == 0 {
			return nil
		}
		err := s.readStandings(ctx, ids, logIns, out)
		ids, families = ids[:0], 0
		return err
	}
	for id, of := range logIns {
		if !validText(string(id)) {
			continue // no account has it
		}
		ids = append(ids, id)
		if families += len(of); len(ids) < standingsChunk && families < standingsChunk {
			continue
		}
		if err := flush(); err != nil {
			return nil, s.failure("read standings", err)
		}
	}
	if err := flush(); err != nil {
		return nil, s.failure("read standings", err)
	}
	return out, nil
}

// readStandings reads the standings of some accounts in one statement.
func (s *Store) readStandings(ctx context.Context, ids []ride.AccountID, logIns map[ride.AccountID][]string, out map[ride.AccountID]Standing) error {
	q := &query{}
	var accounts []string
	families := []string{q.arg("")} // no list may be empty
	for _, id := range ids {
		accounts = append(accounts, q.arg(string(id)))
		for _, f := range logIns[id] {
			if validText(f) {
				families = append(families, q.arg(f))
			}
		}
	}
	_, err := list(ctx, s.read, func(r *sql.Rows) (family string, err error) {
		var changed int64
		a, err := scanAccount(r, &changed, &family)
		if err != nil {
			return "", err
		}
		st := out[a.ID] // one row for each of its log-ins
		st.Account = a
		if changed != 0 {
			st.ChangedAt = fromMicros(changed)
		}
		if slices.Contains(logIns[a.ID], family) {
			st.Live = append(st.Live, family)
		}
		out[a.ID] = st
		return family, nil
	}, `SELECT `+accountColumns+`, changed_at, COALESCE(family, '') FROM accounts
		LEFT JOIN (SELECT id AS family, account_id AS family_of FROM token_families
			WHERE revoked_at IS NULL AND id IN (`+strings.Join(families, ", ")+`)) AS live ON family_of = id
		WHERE id IN (`+strings.Join(accounts, ", ")+`)`, q.args...)
	return err
}
