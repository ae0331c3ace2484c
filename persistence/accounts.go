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

const accountColumns = `id, role, status, username, first_name, last_name, photo_id, vehicle_class, plate,
	vehicle_make, vehicle_model, vehicle_colour, approval, approval_reason,
	rating_sum, rating_count, issuer, subject, tokens_from, created_at, updated_at`

// scanAccount reads accountColumns and whatever columns follow them.
func scanAccount(row interface{ Scan(...any) error }, more ...any) (ride.Account, error) {
	var a ride.Account
	var tokensFrom, created, updated int64
	dest := append([]any{&a.ID, &a.Role, &a.Status, &a.Username, &a.FirstName, &a.LastName, &a.PhotoID,
		&a.Vehicle.Class, &a.Vehicle.Plate, &a.Vehicle.Make, &a.Vehicle.Model, &a.Vehicle.Colour,
		&a.Approval, &a.ApprovalReason, &a.Rating.Sum, &a.Rating.Count, &a.Issuer, &a.Subject,
		&tokensFrom, &created, &updated}, more...)
	if err := row.Scan(dest...); err != nil {
		return ride.Account{}, err
	}
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	if tokensFrom != 0 {
		a.TokensFrom = fromMicros(tokensFrom)
	}
	return a, nil
}

// accountText is what a text filter looks through.
func accountText(a ride.Account) string {
	return fold(a.Username + "\n" + a.FirstName + " " + a.LastName)
}

// CreateAccount adds an account; hash is a PHC string, or empty for an account of an
// outside issuer. ride.ErrUsernameTaken when the username, without regard to case and
// to compatible forms of letters, or the (issuer, subject) pair exists.
func (s *Store) CreateAccount(ctx context.Context, a ride.Account, hash string) error {
	if !validText(string(a.ID), a.Username, a.FirstName, a.LastName, a.PhotoID, a.Vehicle.Class,
		a.Vehicle.Plate, a.Vehicle.Make, a.Vehicle.Model, a.Vehicle.Colour, a.ApprovalReason, a.Issuer, a.Subject, hash) || a.ID == "" {
		return ride.ErrInvalidArgument.With("A field of the account holds bytes that are not text.")
	}
	var tokensFrom int64
	if !a.TokensFrom.IsZero() {
		tokensFrom = micros(a.TokensFrom)
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO accounts (`+accountColumns+`, username_key, search, password_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		string(a.ID), string(a.Role), string(a.Status), a.Username, a.FirstName, a.LastName, a.PhotoID,
		a.Vehicle.Class, a.Vehicle.Plate, a.Vehicle.Make, a.Vehicle.Model, a.Vehicle.Colour,
		string(a.Approval), a.ApprovalReason, a.Rating.Sum, a.Rating.Count, a.Issuer, a.Subject,
		tokensFrom, micros(a.CreatedAt), micros(a.UpdatedAt), fold(a.Username), accountText(a), hash)
	if constraint := s.eng.violated(err); constraint == uniqueUsername || constraint == uniqueSubject {
		return fmt.Errorf("create account: %w", ride.ErrUsernameTaken)
	}
	return s.failure("create account", err)
}

// Account reads an account, or returns ride.ErrNotFound.
func (s *Store) Account(ctx context.Context, id ride.AccountID) (ride.Account, error) {
	if !validText(string(id)) {
		return ride.Account{}, fmt.Errorf("read account: %w", ride.ErrNotFound)
	}
	a, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(id)))
	return a, s.failure("read account", err)
}

// AccountByUsername also returns the password hash.
func (s *Store) AccountByUsername(ctx context.Context, username string) (ride.Account, string, error) {
	if username == "" || !validText(username) {
		return ride.Account{}, "", fmt.Errorf("read account by username: %w", ride.ErrNotFound)
	}
	var hash string
	a, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+`, password_hash
		FROM accounts WHERE username_key = $1 AND username_key <> ''`, fold(username)), &hash)
	return a, hash, s.failure("read account by username", err)
}

// AccountBySubject finds an account of an outside issuer, or ride.ErrNotFound.
func (s *Store) AccountBySubject(ctx context.Context, issuer, subject string) (ride.Account, error) {
	if issuer == "" || !validText(issuer, subject) {
		return ride.Account{}, fmt.Errorf("read account by subject: %w", ride.ErrNotFound)
	}
	a, err := scanAccount(s.read.QueryRowContext(ctx, `SELECT `+accountColumns+`
		FROM accounts WHERE issuer = $1 AND subject = $2 AND issuer <> ''`, issuer, subject))
	return a, s.failure("read account by subject", err)
}

// UpdateAccount changes what is not nil and returns the account as it is then.
func (s *Store) UpdateAccount(ctx context.Context, id ride.AccountID, p ride.AccountPatch) (ride.Account, error) {
	for _, f := range []*string{p.FirstName, p.LastName, p.PhotoID, p.VehicleClass, p.Plate,
		p.VehicleMake, p.VehicleModel, p.VehicleColour} {
		if f != nil && !validText(*f) {
			return ride.Account{}, ride.ErrInvalidArgument.With("A field of the account holds bytes that are not text.")
		}
	}
	if !validText(string(id)) {
		return ride.Account{}, fmt.Errorf("update account: %w", ride.ErrNotFound)
	}
	var a ride.Account
	err := s.tx(ctx, "update account", func(tx *sql.Tx) error {
		err := dropPhoto(ctx, tx, id, p.PhotoID)
		if err != nil {
			return err
		}
		a, err = scanAccount(tx.QueryRowContext(ctx, `UPDATE accounts SET
				first_name = COALESCE($2, first_name), last_name = COALESCE($3, last_name),
				photo_id = COALESCE($4, photo_id), vehicle_class = COALESCE($5, vehicle_class),
				plate = COALESCE($6, plate), vehicle_make = COALESCE($7, vehicle_make),
				vehicle_model = COALESCE($8, vehicle_model), vehicle_colour = COALESCE($9, vehicle_colour), `+sqlUpdatedAt+`
			WHERE id = $10 RETURNING `+accountColumns,
			micros(s.now()), p.FirstName, p.LastName, p.PhotoID, p.VehicleClass, p.Plate,
			p.VehicleMake, p.VehicleModel, p.VehicleColour, string(id)))
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE accounts SET search = $1 WHERE id = $2`, accountText(a), string(id)); err != nil {
			return err
		}
		return s.stampAccount(ctx, tx, id)
	})
	if err != nil {
		return ride.Account{}, err
	}
	return a, nil
}

// dropPhoto removes the photo that another one, or none, takes the place of; next is nil where it
// stays. It locks the account, so that of two uploads at once none is left behind.
func dropPhoto(ctx context.Context, tx *sql.Tx, id ride.AccountID, next *string) error {
	if next == nil {
		return nil
	}
	var old string
	err := tx.QueryRowContext(ctx, `UPDATE accounts SET photo_id = photo_id WHERE id = $1 RETURNING photo_id`, string(id)).Scan(&old)
	if err != nil || old == *next {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM photos WHERE id = $1 AND owner_id = $2`, old, string(id))
	return err
}

// SetPassword replaces the password hash.
func (s *Store) SetPassword(ctx context.Context, id ride.AccountID, hash string) error {
	return s.tx(ctx, "set password", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE accounts SET password_hash = $2, `+sqlUpdatedAt+` WHERE id = $3`,
			micros(s.now()), hash, string(id))
		if err := oneRow(res, err); err != nil {
			return err
		}
		return s.stampAccount(ctx, tx, id)
	})
}

// RenewPassword replaces the password hash if it is still the old one, and otherwise
// returns ride.ErrNotFound.
func (s *Store) RenewPassword(ctx context.Context, id ride.AccountID, old, hash string) error {
	return s.one(ctx, "renew password", `UPDATE accounts SET password_hash = $1 WHERE id = $2 AND password_hash = $3`,
		hash, string(id), old)
}

// SetAccountStatus also ends every log-in when it suspends, as RevokeAccount does.
func (s *Store) SetAccountStatus(ctx context.Context, id ride.AccountID, status ride.AccountStatus) error {
	return s.tx(ctx, "set account status", func(tx *sql.Tx) error {
		now := s.now()
		if status == ride.AccountSuspended {
			if err := revokeAccount(ctx, tx, id, beforeSecond(now), now); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `UPDATE accounts SET status = $2, `+sqlUpdatedAt+` WHERE id = $3`,
			micros(now), string(status), string(id))
		if err := oneRow(res, err); err != nil {
			return err
		}
		return s.stampAccount(ctx, tx, id)
	})
}

// beforeSecond is the last instant before t's second. Issuers date tokens in whole seconds: one
// that was made right after a suspension was taken back must count, and one from right before it
// was of no use in between.
func beforeSecond(t time.Time) time.Time { return t.Truncate(time.Second).Add(-time.Microsecond) }

// SetApproval records an operator's decision about a driver and returns the account as it is
// then. ride.ErrNotFound if there is no such driver.
func (s *Store) SetApproval(ctx context.Context, id ride.AccountID, to ride.Approval, reason string) (ride.Account, error) {
	const op = "set approval"
	if !validText(string(id)) {
		return ride.Account{}, fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	}
	if !validText(string(to), reason) {
		return ride.Account{}, ride.ErrInvalidArgument.With("The reason holds bytes that are not text.")
	}
	var a ride.Account
	err := s.tx(ctx, op, func(tx *sql.Tx) (err error) {
		a, err = scanAccount(tx.QueryRowContext(ctx, `UPDATE accounts SET approval = $2, approval_reason = $3, `+sqlUpdatedAt+`
			WHERE id = $4 AND role = $5 RETURNING `+accountColumns,
			micros(s.now()), string(to), reason, string(id), string(ride.RoleDriver)))
		if err != nil {
			return err
		}
		return s.stampAccount(ctx, tx, id)
	})
	if err != nil {
		return ride.Account{}, err
	}
	return a, nil
}

// one runs a statement that must change one row; ride.ErrNotFound if it changes none.
func (s *Store) one(ctx context.Context, op, text string, args ...any) error {
	res, err := s.write.ExecContext(ctx, text, args...)
	return s.failure(op, oneRow(res, err))
}

func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}

// AccountsByID returns those accounts of the list that exist, in no order.
func (s *Store) AccountsByID(ctx context.Context, ids []ride.AccountID) ([]ride.Account, error) {
	const chunk = 500 // below every engine's bound on parameters
	// Postgres would refuse them all for one id that no account can have.
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ride.AccountID) bool { return !validText(string(id)) })
	var out []ride.Account
	for part := range slices.Chunk(ids, chunk) {
		q := &query{}
		marks := make([]string, len(part))
		for i, id := range part {
			marks[i] = q.arg(string(id))
		}
		found, err := list(ctx, s.read, func(r *sql.Rows) (ride.Account, error) { return scanAccount(r) },
			`SELECT `+accountColumns+` FROM accounts WHERE id IN (`+strings.Join(marks, ", ")+`)`, q.args...)
		if err != nil {
			return nil, s.failure("read accounts", err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// CountWaiting returns how many drivers wait for approval, and most if there are more. It
// reads at most that many entries of an index and no row.
func (s *Store) CountWaiting(ctx context.Context, most int) (int, error) {
	q := &query{}
	var n int
	err := s.read.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM (SELECT 1 FROM accounts WHERE approval = 'pending' LIMIT `+q.arg(most)+`) AS waiting`, q.args...).Scan(&n)
	if err != nil {
		return 0, s.failure("count waiting drivers", err)
	}
	return n, nil
}

// ListAccounts returns a page, newest first, and the cursor of the next one, empty at
// the end. A bad cursor, limit or text is ride.ErrInvalidArgument.
func (s *Store) ListAccounts(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error) {
	limit, from, err := window(f.Page)
	if err != nil {
		return nil, "", err
	}
	if err := checkFilter("q", f.Text); err != nil {
		return nil, "", err
	}
	q := &query{}
	if f.Role != "" {
		q.and("role = " + q.arg(string(f.Role)))
	}
	if f.Status != "" {
		q.and("status = " + q.arg(string(f.Status)))
	}
	switch f.Approval {
	case "":
	case ride.ApprovalApproved:
		q.and("role = " + q.arg(string(ride.RoleDriver)))
		q.and("approval IN ('', 'approved')")
	case ride.ApprovalPending:
		q.and("approval = 'pending'") // as the index has it
	default:
		q.and("approval = " + q.arg(string(f.Approval)))
	}
	if f.Text != "" {
		text := q.arg(contains(f.Text)) + ` ESCAPE '\'`
		q.and("(search LIKE " + text + " OR LOWER(plate) LIKE " + text + " OR id = " + q.arg(f.Text) + ")")
	}
	text := q.page(`SELECT `+accountColumns+` FROM accounts`, "created_at", "id", limit, from)
	accounts, err := list(ctx, s.read, func(r *sql.Rows) (ride.Account, error) { return scanAccount(r) }, text, q.args...)
	if err != nil {
		return nil, "", s.failure("list accounts", err)
	}
	next := ""
	if len(accounts) > limit {
		accounts = accounts[:limit]
		last := accounts[limit-1]
		next = cursor{micros(last.CreatedAt), string(last.ID)}.encode()
	}
	return accounts, next, nil
}
