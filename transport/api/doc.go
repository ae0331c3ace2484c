// Package api is Hexhail's HTTP side: accounts, sign-in, photos, trips to look back on,
// and what operators do. It is described by the OpenAPI 3.1 document that it serves,
// which is made from the same code.
//
// Errors are RFC 9457 problems with the stable code of ride.Errors; bodies are read
// strictly; who may do what is declared with each operation and checked in one place.
package api
