// Package ridepb holds Hexhail's messages: the one source of what sockets and
// nodes say. Edit hexhail.proto, then run go generate ./ride/ridepb (it needs
// protoc, and protoc-gen-go at the version in go.mod).
package ridepb

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) --go_out=. --go_opt=paths=source_relative hexhail.proto"
