package crash

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/simulate"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// Options are the flags of hexhail sim crash.
type Options struct {
	Rounds      int           `default:"20" help:"How many times to kill the server, or how many faults a cluster gets."`
	Nodes       int           `default:"1" help:"Number of servers. Several are a cluster, which gets other faults than kills as well."`
	Duration    time.Duration `help:"For how long a cluster gets faults, instead of a number of --rounds. Half an hour or more has kills more often, and longer freezes."`
	Schedule    string        `placeholder:"FAULTS" help:"Faults of a cluster, such as kill n2 4s, freeze n1 10s; a report names those of its run. Default: drawn by --seed."`
	Etcd        string        `placeholder:"HOST:PORT" help:"etcd for the cluster. Default: the one that is installed here is started; otherwise it gets no faults."`
	Lease       time.Duration `default:"3s" help:"How long the registry keeps a node that does not renew its place. The cluster's other limits keep their proportion to it."`
	Network     string        `default:"proxies" enum:"proxies,namespaces" help:"What a cluster's network is made of: proxies, or network namespaces, where packets are lost, and which need Linux and root."`
	DatabaseURL string        `placeholder:"URL" help:"PostgreSQL database for the server; it should be empty. Default: the embedded database; for a cluster, the PostgreSQL that is installed here is started; otherwise it gets no faults."`
	Data        string        `placeholder:"DIR" help:"Keep the server's data and log in this directory, which must be empty. Default: a temporary directory, removed at the end."`
	Seed        uint64        `default:"1" help:"Seed of all intentions and of the times of kills: the same seed gives the same intentions."`
	Drivers     int           `default:"100" help:"Number of drivers."`
	Speed       float64       `default:"200" help:"Simulated seconds per real second."`
	RoundMin    time.Duration `default:"500ms" help:"Minimum time from recovery to the next kill."`
	RoundMax    time.Duration `default:"2s" help:"Maximum time from recovery to the next kill; the kill then waits up to as long again for a command in flight."`
	Drain       time.Duration `help:"Maximum time for the last trips to end. 0: enough for the longest search and an hour's ride."`
	Report      string        `placeholder:"FILE" help:"Write the report to this file as JSON."`
	Record      string        `placeholder:"FILE" help:"Write the history to this file, for hexhail sim check."`

	// Program is the server's binary, and Env are variables that it needs. An empty Program means
	// this binary.
	Program string   `kong:"-"`
	Env     []string `kong:"-"`

	// RecoverWithin bounds the time from a kill to the first answered command; 0 means 10 s.
	RecoverWithin time.Duration `kong:"-"`

	// AimWithin is how long a kill waits for the command that it aims at; 0 means RoundMax. A quiet
	// city may not send one.
	AimWithin time.Duration `kong:"-"`
}

func (o *Options) check() error {
	switch {
	case o.Rounds < 1 || o.Rounds > 100_000:
		return errors.New("--rounds must be from 1 to 100000")
	case o.Drivers < 2 || o.Drivers > 10_000:
		return errors.New("--drivers must be from 2 to 10000")
	case !(o.Speed >= 1 && o.Speed <= 500):
		return errors.New("--speed must be from 1 to 500")
	case o.RoundMin < 0 || o.RoundMax < o.RoundMin || o.RoundMax > time.Hour:
		return errors.New("--round-max must be from --round-min to an hour")
	case o.Drain < 0:
		return errors.New("--drain must not be negative")
	case o.Nodes < 0 || o.Nodes > maxNodes:
		return fmt.Errorf("--nodes must be from 1 to %d", maxNodes)
	case o.Nodes <= 1 && (o.Schedule != "" || o.Etcd != "" || o.Duration != 0 || o.Network == overNamespaces):
		return errors.New("--schedule, --duration, --etcd and --network=namespaces are for a cluster: set --nodes")
	case o.Network == overNamespaces && (o.Etcd != "" || o.DatabaseURL != ""):
		return errors.New("in namespaces a cluster uses its own etcd and Postgres: leave out --etcd and --database-url")
	case !slices.Contains([]string{"", overProxies, overNamespaces}, o.Network):
		return fmt.Errorf("--network must be %s or %s", overProxies, overNamespaces)
	case o.Duration < 0 || o.Duration > maxDuration:
		return fmt.Errorf("--duration must be from 0s to %s", maxDuration)
	case o.Duration > 0 && o.Schedule != "":
		return errors.New("--duration draws faults, and --schedule names them: set one of the two")
	case o.Nodes > 1 && (o.Lease < 3*time.Second || o.Lease > time.Minute || o.Lease%time.Second != 0):
		return errors.New("--lease must be from 3s to 1m, in whole seconds")
	}
	return nil
}

// maxNodes bounds a cluster on one machine.
const maxNodes = 9

// A run of longRun has time for faults that take long, and maxDuration bounds how much it has to keep.
const (
	longRun     = 30 * time.Minute
	maxDuration = 24 * time.Hour
)

// patience is how long to wait for the last trips to end.
func (o *Options) patience() time.Duration {
	if o.Drain > 0 {
		return o.Drain
	}
	return searchFor + time.Minute + time.Duration(float64(time.Hour)/o.Speed)
}

// The server's time limits, short enough that a run ends soon after its last kill.
const (
	offerTTL  = 3 * time.Second
	searchFor = 20 * time.Second
)

// thinks is the median time that a driver of a cluster takes to decide, in real time.
const thinks = 1500 * time.Millisecond

// verified is how many ended and live trips are compared while the clients are still connected.
const verified = 50

// rest is long enough, at the end, for an offer to expire and its missing end to be noticed.
const rest = offerTTL + 6*time.Second

// place prepares the directory and returns it with a function that removes it.
func (o *Options) place() (dir string, remove func() error, err error) {
	if o.Data == "" {
		dir, err := os.MkdirTemp("", "hexhail-crash-")
		if err != nil {
			return "", nil, fmt.Errorf("directory for the data: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return "", nil, fmt.Errorf("directory for the data: %w", err)
	}
	there, err := os.ReadDir(o.Data)
	if err != nil {
		return "", nil, fmt.Errorf("directory for the data: %w", err)
	}
	if len(there) > 0 {
		return "", nil, fmt.Errorf("%s is not empty: a run needs a new database", o.Data)
	}
	return o.Data, func() error { return nil }, nil
}

// server returns how to start a server with its data in a directory, at its place in a network, and with more flags.
func (o *Options) server(dir string, w wires, issuer simulate.Issuer, more ...string) (*program, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	path := o.Program
	if path == "" {
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("this program's file: %w", err)
		}
	}
	file := filepath.Join(dir, "hexhail.yaml")
	text := fmt.Sprintf("outside-issuers:\n- issuer: %s\n  audience: %s\n  shared-secret: %s\n  algorithm: HS256\n"+
		"  create-accounts: true\n  roles: [rider, driver, operator]\n", issuer.Name, issuer.Audience, issuer.Secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("the server's configuration: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the server's log: %w", err)
	}
	level := "warn"
	if o.Nodes > 1 {
		level = "info" // the comings and goings of members
	}
	env := append(ownEnvironment(o.Env...), w.env...)
	if w.database != "" {
		env = append(env, "HEXHAIL_DATABASE_URL="+w.database) // flags are visible to every user of the machine
	}
	return &program{env: env, log: log, line: slices.Concat(w.enter, []string{
		path, "serve", "--config=" + file, "--data-dir=" + dir, "--log-level=" + level,
		fmt.Sprintf("--listen=%s:%d", w.host, port), "--ops-listen=" + w.host + ":0",
		"--dispatch-policy=broadcast", "--dispatch-ring-start=3", "--dispatch-wave-every=500ms", "--dispatch-offer-ttl=" + offerTTL.String(),
		"--trip-search-for=" + searchFor.String(), fmt.Sprintf("--position-max-speed=%g", 200*o.Speed),
		"--socket-max-per-address=20000", "--limit-commands-per-second=10000", "--limit-commands-burst=10000",
		"--limit-requests-per-second=10000", "--limit-requests-burst=10000",
		"--limit-sign-ins-per-minute=100000", "--shutdown-retry-after=0s",
	}, more)}, nil
}

// store says where the servers' data are. An empty database is the embedded one.
func (o *Options) store(dir, database string) persistence.Options {
	at := persistence.DefaultSQLite(filepath.Join(dir, "hexhail.db"))
	if database != "" {
		at = persistence.DefaultPostgres(database)
	}
	at.PurgeEvery, at.Log = 0, slog.New(slog.DiscardHandler)
	return at
}

// engine names the store.
func (o *Options) engine() string {
	if o.DatabaseURL != "" || o.Nodes > 1 {
		return "postgres"
	}
	return "sqlite"
}

// requests is a stream that can be stopped.
type requests struct {
	*demand.Stream
	over atomic.Bool
}

// Next implements city.Source.
func (r *requests) Next() (demand.Request, bool) {
	if r.over.Load() {
		return demand.Request{}, false
	}
	return r.Stream.Next()
}

// midtown is the city's area: small, so that many drivers get each offer.
var midtown = demand.Area{South: 40.735, West: -74.005, North: 40.775, East: -73.965}

// city is busy and fickle: drivers give trips back, riders cancel, and connections break
// independently of the server.
func (o *Options) city(sockets []string, issuer simulate.Issuer, log *slog.Logger) (city.Config, *requests, error) {
	all, taxis, err := nyc.Peak(demand.Filter{Area: midtown})
	if err != nil {
		return city.Config{}, nil, err
	}
	for i := range taxis {
		taxis[i].From = 0
	}
	b := city.DefaultBehaviour()
	b.GiveBack, b.RiderCancel, b.Patience = 0.05, 0.1, 15*time.Minute
	b.Losses, b.Outage = 1, 20*time.Second
	var reach *check.Reach
	perMinute := float64(o.Drivers) / 8 // more than they can carry
	if o.Nodes > 1 {
		// Some drivers are idle, and think for a while: drivers of other nodes must be found meanwhile.
		perMinute = float64(o.Drivers) / 12
		b.Reply = time.Duration(float64(thinks) * o.Speed)
		b.Moves = movesPerSecond / float64(2*o.Drivers) * 3600 / o.Speed
		reach = &promised
	}
	source := &requests{Stream: demand.NewStream(all, perMinute, o.Seed)}
	return city.Config{
		URLs: sockets, Codecs: []wire.Codec{wire.Binary}, Token: issuer.Token,
		Requests: source, Taxis: demand.Fleet(taxis, o.Drivers, o.Seed), Router: city.Straight{SpeedMPS: 16 / 3.6, Detour: 1.4},
		Seed: o.Seed, Behaviour: b, Speed: o.Speed, Riders: o.Drivers, TripInterval: time.Second, IdleInterval: time.Second,
		Area: midtown, Repeats: 3, Rest: rest, Reach: reach, Log: log,
	}, source, nil
}
