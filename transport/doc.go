// Package transport is where clients meet Hexhail: sockets, the HTTP API,
// authentication.
package transport
