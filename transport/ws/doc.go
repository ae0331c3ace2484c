// Package ws is Hexhail's WebSocket layer. It knows frames, deadlines and
// queues, and nothing of rides.
//
// A connection has exactly two goroutines: the one that calls [Conn.Serve]
// reads, and one that Serve starts writes. Everything that leaves goes through
// one bounded queue, and the writer sends all that is pending with one write.
// All incoming bytes go through an [Assembler], a pure state machine that does
// not care how the bytes were cut, so that an event loop can use it as well.
//
// What is bounded, and what happens at the bound:
//
//   - a frame and a message (the sum of its fragments): 64 KiB each, close code 1009;
//   - what is queued or being written for one peer: 256 KiB, [Config.SlowCode];
//   - one write: 10 s, the connection is cut;
//   - silence of the peer, in spite of our pings: 12 s, the connection is cut;
//   - the closing handshake: 1 s, the connection is cut;
//   - pongs owed: one, the newest.
//
// Compression is never negotiated: it costs memory per connection, and messages
// of this protocol are small.
package ws
