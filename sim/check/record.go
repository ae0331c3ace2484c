// Package check judges a history of what Hexhail's clients saw. The same rules work while a city
// runs and afterwards on a recorded file; for a file, porcupine also decides whether each trip's
// calls and returns fit one order of events.
package check

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// What is a kind of record.
type What string

// The kinds of record.
const (
	// Call: a client sent a command (and repeats it under the same id).
	Call What = "call"
	// Return: the command's final answer arrived.
	Return What = "return"
	// Connected: a session began; Epoch, Seq, Resumed, Account, Trip (the active one,
	// with Version and Status) and Open are those of connected.
	Connected What = "connected"
	// Lost: a session ended, with Code if that is judged.
	Lost What = "lost"
	// Offered, OfferEnded and TripNews are events of a session; they carry Epoch and Seq.
	Offered    What = "offered"
	OfferEnded What = "offer_ended"
	TripNews   What = "trip"
	// RouteNews: a route of a trip arrived; it has no number of its own.
	RouteNews What = "route"
	// OtherNews is a numbered event of a kind that this program does not know.
	OtherNews What = "other"
	// Read: the HTTP API was asked for a trip after everything had settled; Versions
	// are those of all its events.
	Read What = "read"
	// Again: a command that had been answered was sent once more under its id, and this
	// was its answer.
	Again What = "again"
	// Look: the HTTP API was asked for a live trip, after its version Least had been sent.
	Look What = "look"
	// Killed: the server was killed.
	Killed What = "killed"
	// FaultBegan and FaultEnded: something beside the city was broken on purpose, as Op says, and
	// everything works again. Faults do not overlap.
	FaultBegan What = "fault_began"
	FaultEnded What = "fault_ended"
	// Placed: a driver sent its position, Lat and Lng, if L2 is judged.
	Placed What = "position"
	// OlderNews and OlderEnded: an event arrived on, or the server closed (with Code), a socket that
	// was open when its client began a newer session.
	OlderNews  What = "older_event"
	OlderEnded What = "older_closed"
	// Barred: an operator has ended the access of a client's account; its socket must be closed with Code.
	Barred What = "barred"
	// Committed: the database decided the end of a trip now.
	Committed What = "committed"
	// Promised: from now on, searches are judged by Reach.
	Promised What = "promised"
	// Lagged: a timer beside the simulation fired now, late by Lag.
	Lagged What = "lagged"
	// End: the history ends; what should have happened and has not is a violation.
	End What = "end"
)

// Record is one line of a history. Fields that a kind does not need are empty.
type Record struct {
	// At is in nanoseconds since the run began, on one clock for all clients.
	At   int64  `json:"at"`
	What What   `json:"what"`
	Who  string `json:"who,omitempty"` // the client's name
	Role string `json:"role,omitempty"`

	ID      string `json:"id,omitempty"` // of the command
	Op      string `json:"op,omitempty"` // request, accept, decline, cancel, arrived, start, complete, rate
	Code    string `json:"code,omitempty"`
	Trip    string `json:"trip,omitempty"`
	Offer   string `json:"offer,omitempty"`
	Version uint32 `json:"version,omitempty"`
	Status  string `json:"status,omitempty"`
	Driver  string `json:"driver,omitempty"` // account id, if the record names one
	Change  string `json:"change,omitempty"`
	// Exchange: a closer driver has the trip. To its former driver, who learns nothing else of it, Status says
	// only that the trip is no longer its own.
	Exchange bool   `json:"exchange,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	// Expires is when an offer expires, in nanoseconds on the clock of At.
	Expires int64 `json:"expires,omitempty"`

	Account string   `json:"account,omitempty"`
	Epoch   string   `json:"epoch,omitempty"`
	Seq     uint32   `json:"seq,omitempty"`
	Resumed bool     `json:"resumed,omitempty"`
	Open    []string `json:"open,omitempty"`
	// Online says that a session began with a driver who is online.
	Online bool `json:"online,omitempty"`
	// Node is the server of a session: the index of its URL.
	Node int `json:"node,omitempty"`
	// Older says that the client's former socket was still open when the session began, or that the
	// session is lost because its client begins another one while the socket is open.
	Older bool `json:"older,omitempty"`

	// Lat and Lng are those of a driver, or of a request's pickup.
	Lat   float64 `json:"lat,omitempty"`
	Lng   float64 `json:"lng,omitempty"`
	Reach *Reach  `json:"reach,omitempty"`

	Versions []uint32 `json:"versions,omitempty"`
	// Reply is the digest of a command's answer, if answers are compared.
	Reply string `json:"reply,omitempty"`
	// Revision and Leg are those of a route.
	Revision uint32 `json:"revision,omitempty"`
	Leg      string `json:"leg,omitempty"`
	// Lag is in nanoseconds.
	Lag int64 `json:"lag,omitempty"`
	// Least is the version that a look must see.
	Least uint32 `json:"least,omitempty"`
}

// Owner is the driver of a record's trip, if the record names one; account is the record's client.
// A driver does not receive its own card.
func (r Record) Owner(account string) string {
	if r.Driver == "" && r.Role == "driver" && (occupied(r.Status) || r.Status == completed) {
		return account
	}
	return r.Driver
}

// Ends reports whether the record shows a client the end of an offer, of a trip or of an older socket.
func (r Record) Ends() bool {
	switch r.What {
	case OfferEnded, OlderEnded:
		return true
	case TripNews, Return:
		return r.Status != "" && !live(r.Status)
	}
	return false
}

// ReplyDigest is equal for two replies with the same content, whichever frames they answer.
func ReplyDigest(r *ridepb.Reply) string {
	said := &ridepb.Reply{Result: r.GetResult()}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(said)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// OfTrip fills in the fields from a trip.
func (r Record) OfTrip(t *ridepb.Trip) Record {
	if t != nil {
		r.Trip, r.Version, r.Status, r.Driver = t.GetId(), t.GetVersion(), t.GetStatus().String(), t.GetDriver().GetId()
	}
	return r
}

// Recorder writes a history as lines of JSON. It may be used from any goroutine.
type Recorder struct {
	mu  sync.Mutex
	w   *bufio.Writer
	enc *json.Encoder
	err error
}

// NewRecorder makes a recorder that writes to w.
func NewRecorder(w io.Writer) *Recorder {
	b := bufio.NewWriterSize(w, 64<<10)
	return &Recorder{w: b, enc: json.NewEncoder(b)}
}

// Add writes a record. The first error is kept for Close.
func (r *Recorder) Add(x Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = r.enc.Encode(x)
	}
}

// Close flushes the buffer and returns the first error.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = r.w.Flush()
	}
	return r.err
}

// maxLine bounds a line of a recorded history, in bytes.
const maxLine = 1 << 20

// ReadHistory reads what a Recorder wrote. It drops a truncated last line, such as a kill leaves.
func ReadHistory(r io.Reader) ([]Record, error) {
	var out []Record
	in := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(line) > maxLine {
			return nil, fmt.Errorf("line %d: longer than %d bytes", n, maxLine)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		var x Record
		if err := json.Unmarshal(line, &x); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, x)
	}
}

// lost reports whether a driver learns that a closer one has its trip.
func (r Record) lost() bool {
	return r.What == TripNews && r.Role == "driver" && r.Exchange && !occupied(r.Status)
}

// change is what an event says to have led to this version of its trip; empty where it says nothing.
func (r Record) change() string {
	if r.What != TripNews {
		return ""
	}
	return r.Change
}
