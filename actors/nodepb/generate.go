// Package nodepb holds what the nodes of a cluster send each other: one message, NodeFrame. Edit
// node.proto, then run go generate ./actors/nodepb (it needs protoc, and protoc-gen-go at the
// version in go.mod).
package nodepb

//go:generate sh -c "protoc --plugin=protoc-gen-go=$(go tool -n protoc-gen-go) -I . -I ../../ride/ridepb --go_out=. --go_opt=paths=source_relative node.proto"
