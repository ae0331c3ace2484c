package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// SignUp is what a person says of themselves.
type SignUp struct {
	Username, Password  string // TidyUsername is applied to the one, nothing to the other
	FirstName, LastName string
	Role                ride.Role
	Vehicle             ride.Vehicle // drivers only; the caller checks the class
	From                Place        // known from then on; the zero Place is not
}

// TooSoonError says that too many attempts failed, or what else was too much. It unwraps to
// ride.ErrTooMany.
type TooSoonError struct {
	RetryAfter time.Duration
	Reason     error // what the client sees, wraps ride.ErrTooMany; nil: too many failed
}

// Error implements error.
func (e *TooSoonError) Error() string { return "too many attempts" }

// Delay is when the attempt may come again; see package problem.
func (e *TooSoonError) Delay() time.Duration { return e.RetryAfter }

// Unwrap gives the refusal that a client sees.
func (e *TooSoonError) Unwrap() error {
	if e.Reason != nil {
		return e.Reason
	}
	return ride.ErrTooMany.With("Too many failed attempts; wait before trying again.")
}

// SignUp makes a rider's or a driver's account and signs it in. It never makes
// operators. It returns ride.ErrInvalidArgument, ride.ErrUsernameTaken or
// ride.ErrUnavailable.
func (s *Service) SignUp(ctx context.Context, n SignUp) (ride.Account, Tokens, error) {
	if n.Role != ride.RoleRider && n.Role != ride.RoleDriver {
		return ride.Account{}, Tokens{}, ride.ErrInvalidArgument.In("role").With("The role is rider or driver.")
	}
	approval := ride.ApprovalNone
	if n.Role == ride.RoleDriver && s.cfg.DriverApproval {
		approval = ride.ApprovalPending
	}
	a, err := create(ctx, s.accounts, s.passwords, n, approval, s.cfg.Now())
	if err != nil {
		return ride.Account{}, Tokens{}, err
	}
	t, err := s.begin(ctx, a)
	if err == nil {
		s.remember(ctx, a.ID, n.From)
	}
	return a, t, err
}

// CheckSignUp finds what is wrong with a sign-up without making anything: for callers with
// more to do that is not cheap. SignUp may still fail in the same ways.
func (s *Service) CheckSignUp(ctx context.Context, n SignUp) error {
	n = n.tidy()
	if err := n.validate(); err != nil {
		return err
	}
	_, _, err := s.accounts.AccountByUsername(ctx, n.Username)
	switch {
	case err == nil:
		return ride.ErrUsernameTaken
	case !errors.Is(err, ride.ErrNotFound):
		return fmt.Errorf("read account: %w", err)
	}
	return nil
}

// AdminCreate makes an operator. It is for the server's own command line: no message
// from outside leads here. Errors are those of SignUp.
func AdminCreate(ctx context.Context, accounts Accounts, c PasswordConfig, n SignUp) (ride.Account, error) {
	passwords, err := NewPasswords(c)
	if err != nil {
		return ride.Account{}, err
	}
	n.Role, n.Vehicle = ride.RoleOperator, ride.Vehicle{}
	return create(ctx, accounts, passwords, n, ride.ApprovalNone, time.Now())
}

// AdminResetPassword is [Service.ResetPassword] for the server's own command line.
func AdminResetPassword(ctx context.Context, store Store, c PasswordConfig, id ride.AccountID, next string) (string, error) {
	passwords, err := NewPasswords(c)
	if err != nil {
		return "", err
	}
	return (&Service{cfg: DefaultConfig().complete(), accounts: store, refresh: store, passwords: passwords}).ResetPassword(ctx, id, next)
}

func create(ctx context.Context, accounts Accounts, pw *Passwords, n SignUp, approval ride.Approval, now time.Time) (ride.Account, error) {
	n = n.tidy()
	if err := n.validate(); err != nil {
		return ride.Account{}, err
	}
	hash, err := pw.Hash(ctx, n.Password)
	if err != nil {
		return ride.Account{}, err
	}
	a, err := newAccount(now)
	if err != nil {
		return ride.Account{}, err
	}
	a.Role, a.Username, a.FirstName, a.LastName, a.Vehicle = n.Role, n.Username, n.FirstName, n.LastName, n.Vehicle
	a.Approval = approval
	if err := accounts.CreateAccount(ctx, a, hash); err != nil {
		return ride.Account{}, fmt.Errorf("create account: %w", err)
	}
	return a, nil
}

func newAccount(now time.Time) (ride.Account, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return ride.Account{}, fmt.Errorf("account id: %w", err)
	}
	now = ride.Clean(now)
	return ride.Account{
		ID: ride.AccountID(id.String()), Status: ride.AccountActive, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// LogIn is LogInFrom an address alone.
func (s *Service) LogIn(ctx context.Context, username, password, addr string) (ride.Account, Tokens, error) {
	return s.LogInFrom(ctx, username, password, Place{Addr: addr})
}

// LogInFrom checks a password. The place is for the delays after too many failures: one where the
// account has signed in before is not slowed down by others'. Unknown accounts, wrong passwords and accounts without one are answered
// alike, with ride.ErrUnauthenticated, after the same work; a suspended account learns
// that it is, if the password is right. A *TooSoonError says when to come back.
func (s *Service) LogInFrom(ctx context.Context, username, password string, from Place) (ride.Account, Tokens, error) {
	fail := func(err error) (ride.Account, Tokens, error) { return ride.Account{}, Tokens{}, err }
	username = TidyUsername(username)
	a, hash, err := s.accountOf(ctx, username)
	if err != nil {
		return fail(err)
	}
	at, err := s.attemptAt(ctx, username, a.ID, from)
	if err != nil {
		return fail(err)
	}
	if hash, err = s.checkPassword(ctx, at, a, hash, password); err != nil {
		return fail(err)
	}
	if a.Status != ride.AccountActive {
		return fail(ride.ErrSuspended)
	}
	t, err := s.beginBy(ctx, a, password, hash)
	if err == nil {
		s.remember(ctx, a.ID, from)
	}
	return a, t, err
}

// errWrongPassword is the same answer for every mistake in a log-in.
var errWrongPassword = ride.ErrUnauthenticated.With("Username or password is wrong.")

// beginBy starts a family for who knew the password with that hash. A change of password ends the
// families that it finds; one that is begun in the meantime must notice the change itself.
func (s *Service) beginBy(ctx context.Context, a ride.Account, password, hash string) (Tokens, error) {
	t, err := s.begin(ctx, a)
	if err != nil {
		return Tokens{}, err
	}
	still, err := s.stillCounts(ctx, a.Username, password, hash)
	if err == nil && still {
		return t, nil
	}
	if revoke := s.refresh.RevokeFamily(ctx, t.Family); err == nil && revoke != nil {
		err = fmt.Errorf("revoke family: %w", revoke)
	}
	if err == nil {
		err = errWrongPassword
	}
	return Tokens{}, err
}

// stillCounts tells whether a password that had the hash is the account's now.
func (s *Service) stillCounts(ctx context.Context, username, password, hash string) (bool, error) {
	_, now, err := s.accounts.AccountByUsername(ctx, username)
	if err != nil {
		return false, fmt.Errorf("read account: %w", err)
	}
	if now == hash {
		return true, nil
	}
	ok, _, err := s.passwords.Verify(ctx, password, now) // another log-in may have renewed it
	return ok, err
}

// accountOf finds an account by its username, and its password's hash. Both are empty
// if there is none.
func (s *Service) accountOf(ctx context.Context, username string) (ride.Account, string, error) {
	a, hash, err := s.accounts.AccountByUsername(ctx, username)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return ride.Account{}, "", nil
	case err != nil:
		return ride.Account{}, "", fmt.Errorf("read account: %w", err)
	}
	return a, hash, nil
}

// checkPassword tells whether a password has the hash, as often as the guard lets it; it also
// renews hashes of other costs. It returns the hash that the account has now.
func (s *Service) checkPassword(ctx context.Context, at logInAttempt, a ride.Account, hash, password string) (string, error) {
	keys := s.countKeys(at)
	before, err := s.readFailures(ctx, keys)
	if err != nil {
		return "", err
	}
	refuse, hold := s.guard.begin(at, before)
	if refuse > 0 {
		return "", &TooSoonError{RetryAfter: refuse}
	}
	if hold > 0 && !s.guard.rest(ctx, at, hold) {
		return "", ride.ErrUnavailable
	}
	if len(password) > 128 {
		hash = "" // costs the same, never matches
		password = password[:128]
	}
	ok, stale, err := s.passwords.Verify(ctx, password, hash)
	if err != nil {
		s.guard.undo(at)
		return "", err
	}
	if !ok {
		s.recordFailure(ctx, at, keys)
		return "", errWrongPassword
	}
	s.recordSuccess(ctx, at, keys)
	if stale {
		// The log-in counts whether or not the hash could be renewed.
		if h, err := s.passwords.Hash(ctx, password); err == nil && s.accounts.RenewPassword(ctx, a.ID, hash, h) == nil {
			hash = h
		}
	}
	return hash, nil
}

// checkOwnPassword is checkPassword for a person who is signed in.
func (s *Service) checkOwnPassword(ctx context.Context, p transport.Principal, password string) (ride.Account, error) {
	a, hash, err := s.accountOf(ctx, p.Account.Username)
	if err != nil {
		return ride.Account{}, err
	}
	_, err = s.checkPassword(ctx, ofSession(p), a, hash, password)
	return a, err
}

// ChangePassword sets a new password, ends every log-in of the account and begins a
// new one for the caller. The caller closes live sockets.
func (s *Service) ChangePassword(ctx context.Context, p transport.Principal, current, next string) (Tokens, error) {
	if p.Account.Issuer != "" {
		return Tokens{}, ride.ErrWrongRole.With("This account signs in elsewhere and has no password here.")
	}
	if err := CheckPassword(next, p.Account.Username); err != nil {
		return Tokens{}, inField(err, "new_password")
	}
	a, err := s.checkOwnPassword(ctx, p, current)
	if errors.Is(err, ride.ErrUnauthenticated) {
		return Tokens{}, ride.ErrInvalidArgument.In("current_password").With("The current password is wrong.")
	} else if err != nil {
		return Tokens{}, err
	}
	hash, err := s.passwords.Hash(ctx, next)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.accounts.SetPassword(ctx, a.ID, hash); err != nil {
		return Tokens{}, fmt.Errorf("set password: %w", err)
	}
	if err := s.LogOutAccount(ctx, a.ID); err != nil {
		return Tokens{}, err
	}
	return s.beginBy(ctx, a, next, hash)
}

// ResetPassword sets another password for an account, chosen here when next is empty,
// and ends every log-in of it. It returns the password. The caller has checked that it
// may, and closes live sockets. It returns ride.ErrNotFound, ride.ErrWrongStatus for an
// account of an outside issuer, ride.ErrInvalidArgument or ride.ErrUnavailable.
func (s *Service) ResetPassword(ctx context.Context, id ride.AccountID, next string) (string, error) {
	a, err := s.accounts.Account(ctx, id)
	if err != nil {
		return "", fmt.Errorf("read account: %w", err)
	}
	if a.Issuer != "" {
		return "", ride.ErrWrongStatus.With("This account signs in elsewhere and has no password here.")
	}
	if next == "" {
		next = rand.Text() // 26 letters and digits
	}
	if err := CheckPassword(next, a.Username); err != nil {
		return "", inField(err, "password")
	}
	hash, err := s.passwords.Hash(ctx, next)
	if err != nil {
		return "", err
	}
	if err := s.accounts.SetPassword(ctx, id, hash); err != nil {
		return "", fmt.Errorf("set password: %w", err)
	}
	if err := s.LogOutAccount(ctx, id); err != nil {
		return "", err
	}
	return next, nil
}

// freshLogIn is how old an outside issuer's token may be that confirms what cannot be undone.
const freshLogIn = 10 * time.Minute

// Confirm makes sure that the holder of the principal's token is its owner, before an action
// that cannot be undone: by the password, or for accounts of outside issuers by a token of the
// last minutes. It returns ride.ErrInvalidArgument, ride.ErrFreshLogin or a *TooSoonError.
func (s *Service) Confirm(ctx context.Context, p transport.Principal, password string) error {
	if p.Account.Issuer != "" {
		if age := s.cfg.Now().Sub(p.IssuedAt); age > freshLogIn || age < -time.Minute {
			return ride.ErrFreshLogin
		}
		return nil
	}
	_, err := s.checkOwnPassword(ctx, p, password)
	if errors.Is(err, ride.ErrUnauthenticated) {
		return ride.ErrInvalidArgument.In("password").With("The password is wrong.")
	}
	return err
}

func inField(err error, field string) error {
	var re *ride.Error
	if errors.As(err, &re) {
		return re.In(field)
	}
	return err
}

// tidy is the sign-up without invisible characters around its texts. The password stays as it is.
func (n SignUp) tidy() SignUp {
	n.Username, n.FirstName, n.LastName = TidyUsername(n.Username), TidyEnds(n.FirstName), TidyEnds(n.LastName)
	return n
}

func (n SignUp) validate() error {
	if err := CheckUsername(n.Username); err != nil {
		return err
	}
	if err := CheckPassword(n.Password, n.Username); err != nil {
		return err
	}
	if err := CheckName("first_name", n.FirstName); err != nil {
		return err
	}
	return CheckName("last_name", n.LastName)
}

// CheckName says whether a first or last name may be chosen: 1 to 64 bytes of UTF-8
// without control or direction characters, and nothing unseen around it: TidyEnds takes that
// away. It returns ride.ErrInvalidArgument that names the field.
func CheckName(field, name string) error {
	if name == "" || len(name) > 64 || !cleanText(name) || TidyEnds(name) != name {
		return ride.ErrInvalidArgument.In(field).With("A name has 1 to 64 bytes of plain text.")
	}
	return nil
}

// TidyText brings a text that a person typed into the form that is kept: one space between
// words, none around them. ok reports whether the result has no more than most bytes of text without
// control or direction characters; the empty text does.
func TidyText(s string, most int) (tidy string, ok bool) {
	if !cleanText(strings.Map(spaceOf, s)) {
		return "", false
	}
	tidy = strings.Join(strings.Fields(s), " ")
	return tidy, len(tidy) <= most
}

// spaceOf turns the white space that keyboards and forms make into spaces.
func spaceOf(r rune) rune {
	if r == '\t' || r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// cleanText refuses what could forge a log line or a screen: control characters and
// invisible format characters such as bidirectional overrides.
func cleanText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		// Joiners are part of how some scripts and emoji are written.
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' ||
			r == '\u2028' || r == '\u2029'
	})
}
