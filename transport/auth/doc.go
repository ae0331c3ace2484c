// Package auth finds out who stands behind a request and keeps passwords, tokens and
// tickets. It knows nothing of HTTP or sockets; both call it.
//
// Access tokens are short-lived JWTs of our own issuer, signed with one pinned algorithm.
// Refresh tokens are random, stored only as hashes, spent on use, with a short grace for
// answers that were lost; all that descend from one log-in form a family, which is the
// "sid" of the access tokens. Tickets let a
// browser open a socket without a credential in its URL. Trusted outside issuers may
// vouch for people who sign in elsewhere.
// The role and the status always come from the account, which is read each time, and
// never from the token.
package auth
