package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/hexhail/hexhail/ride"
)

// outcomes keeps the number of stored command outcomes of each account within a bound, so
// that no client fills the disk by sending commands: the newest stay. Writers count; a
// helper of the store deletes, so that no caller waits for it.
type outcomes struct {
	most int
	// due are accounts that may have too many; one that does not fit is found by the janitor.
	due chan ride.AccountID

	mu      sync.Mutex
	written map[ride.AccountID]int // since the account was last looked at
}

const (
	// maxCounted bounds the accounts that are counted at once.
	maxCounted = 10_000
	dueQueue   = 64
)

func newOutcomes(most int) *outcomes {
	return &outcomes{most: most, due: make(chan ride.AccountID, dueQueue), written: make(map[ride.AccountID]int)}
}

// slack is how many outcomes more than the bound an account may have for a moment.
func (o *outcomes) slack() int { return o.most/8 + 1 }

// note counts an outcome that was written.
func (o *outcomes) note(account ride.AccountID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.written) >= maxCounted {
		clear(o.written) // the janitor counts in the database
	}
	if o.written[account]++; o.written[account] < o.slack() {
		return
	}
	delete(o.written, account)
	select {
	case o.due <- account:
	default:
	}
}

// startTrimmer starts the goroutine that ends with the context.
func (s *Store) startTrimmer(ctx context.Context) {
	s.helpers.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case account := <-s.outcomes.due:
				if _, err := s.trim(ctx, account); err != nil && ctx.Err() == nil {
					s.log.Warn("old command outcomes cannot be deleted", "account", account, "error", err)
				}
			}
		}
	})
}

// trim deletes an account's oldest outcomes beyond the bound and returns how many.
func (s *Store) trim(ctx context.Context, account ride.AccountID) (total int64, err error) {
	newest, err := list(ctx, s.read, scanInt,
		`SELECT at FROM commands WHERE account_id = $1 ORDER BY at DESC LIMIT 1 OFFSET $2`, string(account), s.outcomes.most)
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	for {
		res, err := s.write.ExecContext(ctx, `DELETE FROM commands WHERE (account_id, command_id) IN
			(SELECT account_id, command_id FROM commands WHERE account_id = $1 AND at <= $2 ORDER BY at LIMIT $3)`,
			string(account), newest[0], purgeChunk)
		if err != nil {
			return total, fmt.Errorf("delete: %w", err)
		}
		n, err := res.RowsAffected()
		total += n
		if err != nil || n < purgeChunk {
			return total, err
		}
	}
}

// trimAll looks for all accounts with too many outcomes.
func (s *Store) trimAll(ctx context.Context) (total int64, err error) {
	accounts, err := list(ctx, s.read, scanText,
		`SELECT account_id FROM commands GROUP BY account_id HAVING COUNT(*) > $1`, s.outcomes.most)
	for _, account := range accounts {
		n, terr := s.trim(ctx, ride.AccountID(account))
		if total += n; terr != nil {
			return total, terr
		}
	}
	return total, err
}

func scanInt(r *sql.Rows) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

func scanText(r *sql.Rows) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
