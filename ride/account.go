package ride

import "time"

// AccountStatus says whether an account may sign in.
type AccountStatus string

// The account statuses.
const (
	AccountActive    AccountStatus = "active"
	AccountSuspended AccountStatus = "suspended"
)

// Approval says whether a driver may drive.
type Approval string

// The approvals. A driver whose record holds any other value may not drive.
const (
	// ApprovalNone: no decision is needed. This holds for riders, operators, and drivers who signed up
	// while the server asked for no approval.
	ApprovalNone     Approval = ""
	ApprovalPending  Approval = "pending"
	ApprovalApproved Approval = "approved"
	ApprovalRefused  Approval = "refused"
)

// MaxApprovalReason bounds the reason of a refusal, in bytes: 200 characters of any script.
const MaxApprovalReason = 800

// Account is a person known to Hexhail.
type Account struct {
	ID        AccountID
	Role      Role
	Status    AccountStatus
	Username  string // as typed; unique without regard to case
	FirstName string
	LastName  string
	PhotoID   string // empty: none
	Vehicle   Vehicle
	Rating    Rating
	// Approval, and why a driver was refused; both concern drivers alone.
	Approval       Approval
	ApprovalReason string
	// Issuer and Subject name an account of a trusted outside issuer; both are
	// empty for an account with a password of ours.
	Issuer, Subject string
	// TokensFrom is the instant up to which tokens of the outside issuer no longer count: its
	// last log-out or suspension. Zero: there was none.
	TokensFrom time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Vehicle is what a driver drives; zero for others.
type Vehicle struct {
	Class string // a vehicle class of the tariffs
	Plate string
	// Make, Model and Colour are what a rider looks for at the kerb; each may be empty.
	Make, Model, Colour string
}

// MayDrive returns nil if the account's driver may take trips, and otherwise ErrApprovalPending
// or ErrApprovalRefused, which gives the operator's reason.
func (a Account) MayDrive() error {
	switch a.Approval {
	case ApprovalNone, ApprovalApproved:
		return nil
	case ApprovalRefused:
		if a.ApprovalReason != "" {
			return ErrApprovalRefused.With("An operator refused this driver: %s", a.ApprovalReason)
		}
		return ErrApprovalRefused
	}
	return ErrApprovalPending
}

// Rating is the sum and the number of an account's stars.
type Rating struct {
	Sum, Count int64
}

// X100 is the mean times 100, 0 while unrated.
func (r Rating) X100() int64 {
	if r.Count == 0 {
		return 0
	}
	return (r.Sum*100 + r.Count/2) / r.Count
}

// AccountPatch changes what is not nil.
type AccountPatch struct {
	FirstName, LastName, PhotoID, VehicleClass, Plate *string
	VehicleMake, VehicleModel, VehicleColour          *string
}

// AccountFilter selects accounts for a list, newest first.
type AccountFilter struct {
	Role   Role          // empty: any
	Status AccountStatus // empty: any
	// Approval selects drivers; ApprovalApproved includes those who need none. Empty: any.
	Approval Approval
	Text     string // part of username, name or plate, without regard to case; or the whole id
	Page     Page
}

// Page is a bounded window on a list ordered by creation time and id, newest first.
type Page struct {
	Limit  int    // 1 to 200
	Cursor string // empty: from the newest; else the cursor of the page before
}

// Photo is a picture that was checked, re-encoded and stripped.
type Photo struct {
	ID          string // random
	Owner       AccountID
	ContentType string
	Data        []byte
}

// RefreshToken is the server's memory of one refresh token. Tokens that descend
// from one log-in form a family; reuse of a rotated token revokes it whole.
type RefreshToken struct {
	Hash      string // SHA-256 of the token, hex
	Family    string // also the "sid" claim of the access tokens made with it
	Account   AccountID
	CreatedAt time.Time
	ExpiresAt time.Time
	SpentAt   time.Time // zero: not yet; only in what Accounts.RefreshToken reads
}

// Ticket is the server's memory of a socket ticket: whose token it stands for.
type Ticket struct {
	Hash    string // SHA-256 of the ticket, hex
	Account AccountID
	Family  string // the log-in that the token descends from; empty for outside issuers
	// TokenIssuedAt is when an outside issuer made the token; zero if it does not say, or the
	// token is ours.
	TokenIssuedAt  time.Time
	TokenExpiresAt time.Time
}

// SessionClaim is what a store knows of a session that has become an account's newest.
type SessionClaim struct {
	// Generation is higher than that of each session before: 1 for the first.
	Generation uint64
	// FormerNode and FormerIncarnation name the process of the session before; empty: there was
	// none.
	FormerNode, FormerIncarnation string
}

// FailureCount is how often log-ins have failed, and when the last one did: by the clock of the
// store, which tells one failure from another, and how long ago.
type FailureCount struct {
	N    int
	Last time.Time
	Age  time.Duration
}

// AuditFilter selects audit entries for a list, newest first.
type AuditFilter struct {
	Actor   AccountID // who acted; empty: all
	Action  string    // exactly; empty: any
	Subject string    // exactly; empty: any
	From    time.Time // at or after; zero: any
	To      time.Time // before; zero: any
	Page    Page
}

// AuditEntry records what an operator did.
type AuditEntry struct {
	ID      int64
	At      time.Time
	Actor   AccountID
	Action  string // such as "account.suspend", "trip.cancel"
	Subject string // id of the account or trip
	Detail  string // a sentence or JSON, bounded to 1000 bytes
}

// HeldRow is a row of what is held about an account, by column. Its values have a form in JSON.
type HeldRow map[string]any
