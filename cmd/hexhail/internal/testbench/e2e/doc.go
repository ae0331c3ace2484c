// Package e2e holds the tests of Hexhail as a whole, over real sockets.
package e2e
