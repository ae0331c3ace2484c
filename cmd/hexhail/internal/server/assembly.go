package server

import (
	"context"
	"log/slog"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
)

// Base is what a server is assembled on.
type Base struct {
	Config *config.Config // must not be changed
	Log    *slog.Logger
	// Ops takes metrics (Registry) and readiness checks (AddCheck) of the services.
	// The command itself starts it first and stops it last.
	Ops *ops.Server
	// Demo makes the server a demonstration. Nil: an ordinary one.
	Demo *demo.Host
	// Trial lets clients say that the server runs for a first try.
	Trial bool
	// MakeMissing makes what is missing of a server that ran before: its database or its key.
	MakeMissing bool
}

// Server is an assembled server.
type Server struct {
	// Services in the order of their start: the store first, the clients' listener
	// last. They are stopped in the opposite order.
	Services []lifecycle.Service
	// Addresses says where clients reach the server. Called once all services run.
	Addresses func() []Address
	// HasOperator tells whether an operator exists, for the hint at first run.
	// Called once all services run.
	HasOperator func(ctx context.Context) (bool, error)
}

// Address is one line of what serve prints.
type Address struct {
	What string // such as "sockets"
	URL  string // such as "ws://127.0.0.1:8080/v1/ws"
}

// NewOperator is an operator to be made.
type NewOperator struct {
	Username, FirstName, LastName string
	Password                      string
}
