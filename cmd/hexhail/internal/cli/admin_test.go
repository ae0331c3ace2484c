package cli

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// people are accounts that remember what was done to them.
type people struct {
	did    []string
	filter ride.AccountFilter
	closed int
}

func (p *people) Find(_ context.Context, name string) (ride.Account, error) {
	a := ride.Account{ID: "a1", Username: name, FirstName: "F", LastName: "L", Role: ride.Role(name), Status: ride.AccountActive}
	if name == "nobody" {
		return ride.Account{}, fmt.Errorf("find: %w", ride.ErrNotFound)
	}
	return a, nil
}

func (p *people) List(_ context.Context, f ride.AccountFilter) ([]ride.Account, string, error) {
	p.filter = f
	a := ride.Account{ID: "a2", Username: "two", Role: ride.RoleDriver, Approval: ride.ApprovalPending, CreatedAt: time.Unix(0, 0)}
	if f.Page.Cursor == "" {
		return []ride.Account{{ID: "a1", Username: "one", Status: ride.AccountSuspended, CreatedAt: time.Unix(0, 0)}}, "more", nil
	}
	return []ride.Account{a}, "", nil
}

func (p *people) note(format string, args ...any) error {
	p.did = append(p.did, fmt.Sprintf(format, args...))
	return nil
}

func (p *people) SetStatus(_ context.Context, a ride.Account, to ride.AccountStatus) error {
	return p.note("%s %s", a.Username, to)
}

func (p *people) Decide(_ context.Context, a ride.Account, to ride.Approval, reason string) error {
	return p.note("%s %s %s", a.Username, to, reason)
}

func (p *people) ResetPassword(_ context.Context, a ride.Account, next string) (string, error) {
	if next == "" {
		return "made-for-you", p.note("%s reset", a.Username)
	}
	return next, p.note("%s reset to %s", a.Username, next)
}

func (p *people) Erase(_ context.Context, a ride.Account) error {
	if a.Username == "rider" {
		return fmt.Errorf("erase: %w", ride.ErrTripActive)
	}
	return p.note("%s erased", a.Username)
}

func (p *people) Close() error { p.closed++; return nil }

// TestAdmin: each command does one thing to one account, by name, and closes what it opened.
func TestAdmin(t *testing.T) {
	for name, c := range map[string]struct {
		args      []string
		stdin     string
		code      int
		did, says string
	}{
		"approve":       {[]string{"approve", "driver"}, "", exitOK, "driver approved ", "Driver driver is approved."},
		"not a driver":  {[]string{"approve", "rider"}, "", exitFailed, "", "is not a driver but of role rider"},
		"refuse":        {[]string{"refuse", "driver", "--reason= no licence "}, "", exitOK, "driver refused no licence", "is refused"},
		"no reason":     {[]string{"refuse", "driver"}, "", exitUsage, "", "--reason"},
		"disable":       {[]string{"disable", "operator"}, "", exitOK, "operator suspended", "is disabled"},
		"enable":        {[]string{"enable", "operator"}, "", exitOK, "operator active", "is enabled"},
		"reset":         {[]string{"reset-password", "operator"}, "", exitOK, "operator reset", "once: made-for-you"},
		"reset to":      {[]string{"reset-password", "operator", "--password-stdin"}, "of my own\n", exitOK, "operator reset to of my own", "have ended"},
		"as a flag":     {[]string{"reset-password", "operator", "--password=x"}, "", exitUsage, "", "unknown flag"},
		"erase":         {[]string{"erase", "driver", "--yes"}, "", exitOK, "driver erased", "was erased"},
		"erase, unsure": {[]string{"erase", "driver"}, "", exitFailed, "", "cannot be undone"},
		"erase in trip": {[]string{"erase", "rider", "--yes"}, "", exitFailed, "", "is on a trip"},
		"nobody":        {[]string{"disable", "nobody"}, "", exitFailed, "", `there is no account "nobody"`},
		"mixed":         {[]string{"list", "--approval=pending"}, "", exitFailed, "", "goes with --role=driver"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.stdin = c.stdin
			require.Equal(t, c.code, s.run(t, append([]string{"admin"}, c.args...)...), s.err.String())
			require.Contains(t, s.out.String()+s.err.String(), c.says)
			require.NotContains(t, s.out.String(), "of my own")
			if c.did == "" {
				require.Empty(t, s.accounts.did)
			} else {
				require.Equal(t, []string{c.did}, s.accounts.did)
				require.Equal(t, 1, s.accounts.closed)
			}
		})
	}
	s := newStage()
	require.Equal(t, exitOK, s.run(t, "admin", "list", "--role=driver", "--approval=pending"), s.err.String())
	require.Equal(t, ride.AccountFilter{Role: ride.RoleDriver, Approval: ride.ApprovalPending, Page: ride.Page{Limit: 200, Cursor: "more"}}, s.accounts.filter)
	require.Regexp(t, `one .* disabled .*\n.*two .* pending`, s.out.String())
}
