package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hexhail/hexhail/ride"
)

// SavePhoto adds a photo.
func (s *Store) SavePhoto(ctx context.Context, p ride.Photo) error {
	data := p.Data
	if data == nil {
		data = []byte{}
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO photos (id, owner_id, content_type, data) VALUES ($1, $2, $3, $4)`,
		p.ID, string(p.Owner), p.ContentType, data)
	return s.failure("save photo", err)
}

// Photo reads a photo, or returns ride.ErrNotFound.
func (s *Store) Photo(ctx context.Context, id string) (ride.Photo, error) {
	if !validText(id) {
		return ride.Photo{}, fmt.Errorf("read photo: %w", ride.ErrNotFound)
	}
	p := ride.Photo{ID: id}
	err := s.read.QueryRowContext(ctx, `SELECT owner_id, content_type, data FROM photos WHERE id = $1`, id).
		Scan(&p.Owner, &p.ContentType, &p.Data)
	if err != nil {
		return ride.Photo{}, s.failure("read photo", err)
	}
	return p, nil
}

// DeletePhoto removes a photo; ride.ErrNotFound if there is none.
func (s *Store) DeletePhoto(ctx context.Context, id string) error {
	if !validText(id) {
		return fmt.Errorf("delete photo: %w", ride.ErrNotFound)
	}
	return s.one(ctx, "delete photo", `DELETE FROM photos WHERE id = $1`, id)
}

// maxDetail bounds an audit entry's detail, in bytes.
const maxDetail = 1000

// auditTries bounds how often an entry looks for a number that no other node took.
const auditTries = 20

// AddAudit appends an entry; its ID is given by the store.
func (s *Store) AddAudit(ctx context.Context, e ride.AuditEntry) error {
	if len(e.Detail) > maxDetail || !validText(string(e.Actor), e.Action, e.Subject, e.Detail) {
		return ride.ErrInvalidArgument.With("An audit entry's detail has at most %d bytes of text.", maxDetail).In("detail")
	}
	var err error
	for range auditTries {
		_, err = s.write.ExecContext(ctx, `INSERT INTO audit (id, at, actor, action, subject, detail)
			SELECT COALESCE(MAX(id), 0) + 1, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT),
				CAST($4 AS TEXT), CAST($5 AS TEXT) FROM audit`,
			micros(e.At), string(e.Actor), e.Action, e.Subject, e.Detail)
		if s.eng.violated(err) != uniqueAuditID {
			break
		}
	}
	return s.failure("add audit entry", err)
}

func scanAudit(r *sql.Rows) (ride.AuditEntry, error) {
	var e ride.AuditEntry
	var at int64
	if err := r.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.Subject, &e.Detail); err != nil {
		return e, err
	}
	e.At = fromMicros(at)
	return e, nil
}

// ListAudit returns entries newest first, with the cursor of the next page, empty at
// the end. A bad cursor, limit or text is ride.ErrInvalidArgument.
func (s *Store) ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error) {
	limit, from, err := window(f.Page)
	if err != nil {
		return nil, "", err
	}
	q := &query{}
	if from != nil {
		q.and("id < " + q.arg(from.at))
	}
	for column, value := range map[string]string{"actor": string(f.Actor), "action": f.Action, "subject": f.Subject} {
		if err := checkFilter(column, value); err != nil {
			return nil, "", err
		}
		if value != "" {
			q.and(column + " = " + q.arg(value))
		}
	}
	if !f.From.IsZero() {
		q.and("at >= " + q.arg(micros(f.From)))
	}
	if !f.To.IsZero() {
		q.and("at < " + q.arg(micros(f.To)))
	}
	// Numbers rise with time, so they alone make the order, and the cursor.
	text := q.page(`SELECT id, at, actor, action, subject, detail FROM audit`, "id", "at", limit, nil)
	entries, err := list(ctx, s.read, scanAudit, text, q.args...)
	if err != nil {
		return nil, "", s.failure("list audit", err)
	}
	next := ""
	if len(entries) > limit {
		entries = entries[:limit]
		next = cursor{entries[limit-1].ID, "audit"}.encode()
	}
	return entries, next, nil
}
