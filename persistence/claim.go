package persistence

import "context"

// Claim makes the caller the owner of a database, as a server is, without opening it, and
// returns the end of that. ErrOwned if a server runs on it, also a member of a cluster.
func Claim(ctx context.Context, o Options) (release func() error, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	lock, err := takeOwner(ctx, o.complete().alone())
	if err != nil {
		return nil, err
	}
	return lock.release, nil
}
