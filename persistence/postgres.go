package persistence

import (
	"context"
	"database/sql"
	"errors"
)

func (s *Store) openPostgres(ctx context.Context, o Options) error { return errors.New("x") }
func postgresForMigration(ctx context.Context, o Options) (*sql.DB, func() error, error) { return nil, nil, nil }
