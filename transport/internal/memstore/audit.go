package memstore

import (
	"context"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// AddAudit implements api.Audit.
func (s *Store) AddAudit(ctx context.Context, e ride.AuditEntry) error {
	if err := s.enter(ctx, "AddAudit"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if len(e.Detail) > 1000 || !valid(e.Action, e.Subject, e.Detail) {
		return ride.ErrInvalidArgument
	}
	e.ID = int64(len(s.audit) + 1)
	s.audit = append(s.audit, e)
	return nil
}

// ListAudit implements api.Audit.
func (s *Store) ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error) {
	if err := s.enter(ctx, "ListAudit"); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	if !valid(string(f.Actor), f.Action, f.Subject) {
		return nil, "", ride.ErrInvalidArgument
	}
	var all []ride.AuditEntry
	for _, e := range s.audit {
		if (f.Actor == "" || e.Actor == f.Actor) && (f.Action == "" || e.Action == f.Action) && (f.Subject == "" || e.Subject == f.Subject) &&
			(f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To)) {
			all = append(all, e)
		}
	}
	return paged(all, f.Page, func(e ride.AuditEntry) (time.Time, string) {
		return time.Unix(e.ID, 0), strconv.FormatInt(e.ID, 10)
	})
}
