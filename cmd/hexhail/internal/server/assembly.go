package server

import (
	"context"
	"log/slog"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/lifecycle"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/geo/streets"
)

// Base is what a server is assembled from.
type Base struct {
	Config *config.Config // must not be changed
	Log    *slog.Logger
	// Ops takes the services' metrics (Registry) and readiness checks (AddCheck). The command
	// starts it first and stops it last.
	Ops *ops.Server
	// Streets gives the map of the city where the configuration names none; nil: there is none.
	Streets func(ctx context.Context) (*streets.Map, error)
	// Demo makes the server a demonstration; nil for an ordinary one.
	Demo *demo.Host
	// Trial makes clients show that the server runs as a trial.
	Trial bool
	// Version is the program's, for the other nodes of a cluster.
	Version string
	// Exit ends the process of a node that can no longer take part in its cluster, with ExitEnded;
	// nil: os.Exit.
	Exit func(code int)
	// MakeMissing creates the database or the key if one of them is missing.
	MakeMissing bool
}

// Server is an assembled server.
type Server struct {
	// Services are in start order: the store first, the clients' listener last. They stop in
	// reverse order.
	Services []lifecycle.Service
	// Addresses says where clients reach the server. Call it once all services run.
	Addresses func() []Address
	// HasOperator reports whether an operator exists, for the hint at the first run. Call it once
	// all services run.
	HasOperator func(ctx context.Context) (bool, error)
	// ReloadStreets loads the map of the streets again, and says what became of it. Call it while all
	// services run.
	ReloadStreets func(ctx context.Context) (done string, err error)
}

// Address is one line of serve's output.
type Address struct {
	What string // such as "sockets"
	URL  string // such as "ws://127.0.0.1:8080/v1/ws"
}

// NewOperator describes an operator to create.
type NewOperator struct {
	Username, FirstName, LastName string
	Password                      string
}
