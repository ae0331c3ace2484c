package check

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exchange is a history in which bo has ann's trip until cy, who is nearer and accepts, has it.
func exchange() []Record {
	h := ride()[:16] // until everybody knows of the match
	n := h[len(h)-1].At
	at := func(who, role string, r Record) {
		n += int64(time.Millisecond)
		r.At, r.Who, r.Role = n, who, role
		h = append(h, r)
	}
	news := func(seq, version uint32, status, driver, change string, exchange bool) Record {
		return Record{What: TripNews, Epoch: "e", Seq: seq, Trip: "t", Version: version, Status: status, Driver: driver, Change: change, Exchange: exchange}
	}
	at("ann", "rider", news(3, 4, matched, "B", "wave_planned", false))
	at("bo", "driver", news(4, 4, matched, "", "wave_planned", false))
	at("cy", "driver", Record{What: Offered, Epoch: "e", Seq: 3, Trip: "t", Offer: "t.3", Expires: n + int64(15*time.Second)})
	n += int64(12 * time.Second) // longer than the end of an offer may be late
	at("cy", "driver", Record{What: Call, ID: "10", Op: "accept", Trip: "t", Offer: "t.3"})
	at("cy", "driver", Record{What: Return, ID: "10", Op: "accept", Trip: "t", Version: 5, Status: matched})
	at("cy", "driver", Record{What: OfferEnded, Epoch: "e", Seq: 4, Trip: "t", Offer: "t.3", Outcome: "won"})
	at("cy", "driver", news(5, 5, matched, "", exchanged, true))
	at("bo", "driver", news(5, 5, requested, "", "released", true))
	at("ann", "rider", news(4, 5, matched, "C", exchanged, true))
	at("cy", "driver", Record{What: Call, ID: "11", Op: "arrived", Trip: "t"})
	at("cy", "driver", Record{What: Return, ID: "11", Op: "arrived", Trip: "t", Version: 6, Status: arrived})
	at("ann", "rider", news(5, 6, arrived, "C", arrived, false))
	return append(h, Record{At: int64(time.Minute), What: Read, Trip: "t", Version: 6, Status: arrived, Driver: "C", Versions: []uint32{1, 2, 3, 4, 5, 6}},
		Record{At: int64(2 * time.Minute), What: End})
}

func TestAnExchangeIsNoMistake(t *testing.T) {
	require.Empty(t, judge(exchange()).Findings())
	o := Linearizable(exchange(), time.Minute)
	require.True(t, o.OK, o.String())
	require.Zero(t, o.Trips, "its driver changed without a command")
}

func TestMutantsOfExchangesAreCaught(t *testing.T) {
	index := func(h []Record, who string, version uint32) int {
		return slices.IndexFunc(h, func(r Record) bool { return r.What == TripNews && r.Who == who && r.Version == version })
	}
	for name, m := range map[string]struct {
		caught string
		mutate func([]Record) []Record
	}{
		"a driver changes without an exchange": {OneWinner, func(h []Record) []Record {
			for i := range h {
				if h[i].Change == exchanged {
					h[i].Change = "wave_planned"
				}
			}
			return h
		}},
		"both have it at one version": {OneWinner, func(h []Record) []Record {
			h[index(h, "bo", 5)].Status = matched
			return h
		}},
		"after the arrival": {OneWinner, func(h []Record) []Record {
			h[index(h, "ann", 4)].Status, h[index(h, "bo", 4)].Status = arrived, arrived
			return h
		}},
		"the former driver never hears of it": {EndArrives, func(h []Record) []Record {
			i := index(h, "bo", 5)
			return append(h[:i:i], h[i+1:]...)
		}},
		"it has another trip before": {OneTrip, func(h []Record) []Record {
			i := index(h, "bo", 5)
			x := h[i]
			x.Trip, x.Status, x.Version, x.Exchange, h[i].Seq = "u", matched, 3, false, x.Seq+1
			return slices.Insert(h, i, x)
		}},
		"the new driver's offer never ends": {OneEnd, func(h []Record) []Record {
			i := slices.IndexFunc(h, func(r Record) bool { return r.What == OfferEnded && r.Offer == "t.3" })
			for j := i + 1; j < len(h); j++ {
				if h[j].Who == "cy" && h[j].Seq > 0 {
					h[j].Seq--
				}
			}
			return append(h[:i:i], h[i+1:]...)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := judge(m.mutate(exchange()))
			require.Positive(t, c.Violations()[m.caught], "%v", c.Violations())
		})
	}
}
