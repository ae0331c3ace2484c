package ridepb

// CloseCode is a WebSocket close code of Hexhail's own: 4000–4499 tell a client to
// reconnect, 4500–4999 not to.
type CloseCode uint16

// The close codes. docs/protocol.md explains each; a test keeps both lists equal.
const (
	CloseShutdown       CloseCode = 4000 // this server goes away; come back after retry_after_ms
	CloseSlowConsumer   CloseCode = 4001 // the client reads too slowly
	CloseHeartbeat      CloseCode = 4002 // nothing was heard from the client
	CloseOverloaded     CloseCode = 4003 // the server has no room
	CloseTokenExpired   CloseCode = 4004 // come back with a fresh token
	CloseInternal       CloseCode = 4005 // something went wrong on the server's side
	CloseConnectTimeout CloseCode = 4006 // no connect message in time

	CloseProtocolError   CloseCode = 4500 // the client breaks the protocol
	CloseUnauthenticated CloseCode = 4501 // the credentials do not count
	CloseSuspended       CloseCode = 4502 // the account is suspended
	CloseReplaced        CloseCode = 4503 // the account connected elsewhere
	CloseRevoked         CloseCode = 4504 // logged out
	CloseTooManyErrors   CloseCode = 4505 // too many refused messages in a row
)

var closeReasons = map[CloseCode]string{
	CloseShutdown: "shutdown", CloseSlowConsumer: "slow_consumer", CloseHeartbeat: "heartbeat_timeout",
	CloseOverloaded: "overloaded", CloseTokenExpired: "token_expired", CloseInternal: "internal",
	CloseConnectTimeout: "connect_timeout", CloseProtocolError: "protocol_error",
	CloseUnauthenticated: "unauthenticated", CloseSuspended: "suspended", CloseReplaced: "replaced",
	CloseRevoked: "revoked", CloseTooManyErrors: "too_many_errors",
}

// Reason is the stable word that goes with the code.
func (c CloseCode) Reason() string { return closeReasons[c] }

// Reconnect reports whether the client should come back.
func (c CloseCode) Reconnect() bool { return c >= 4000 && c < 4500 }

// CloseCodes returns every close code of Hexhail's own, with its reason.
func CloseCodes() map[CloseCode]string {
	out := make(map[CloseCode]string, len(closeReasons))
	for c, r := range closeReasons {
		out[c] = r
	}
	return out
}
