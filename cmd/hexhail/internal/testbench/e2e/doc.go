// Package e2e tests Hexhail as a whole, over real sockets.
package e2e
