// Package session is what happens on /v1/ws between the WebSocket layer and the
// actors: a socket becomes a session when its connect message is accepted, and
// from then on its frames are checked, limited and handed to the account's actor,
// whose answers and events go back out.
//
// [Handler] accepts sockets and owns the goroutines of their sessions: two for
// each, the reader and the writer of [ws.Conn], and one timer that is armed for
// the next deadline. [Registry] knows the live sessions of each
// account, so that a log-out or a suspension reaches them at once.
//
// Nothing here knows what a trip is. What a session itself decides is who may send what
// ([frameSpecs] is the whole subject × message table), how often, and how long a field may be; the
// rest is for the actor behind [transport.Inbox].
//
// # Refusals
//
// A refused frame gets an error reply, with the frame's id if it could be read.
// Before connect has succeeded every refusal ends the session. Afterwards a
// session ends with too_many_errors when more than Config.MaxRefused frames in a
// row were refused here. Refusals by an actor do not count: those frames were in
// order, the world was not.
//
// # Ids
//
// An id is 1 to 64 bytes of printable ASCII without spaces. location and ping
// may come without one; then their answers have none either.
package session
