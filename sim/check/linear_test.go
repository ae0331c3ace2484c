package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A trip whose request was never answered to its rider may still be driven.
func TestALostAnswerToTheRequestIsNoMistake(t *testing.T) {
	var h []Record
	for _, r := range ride() {
		if r.Op != "request" {
			h = append(h, r)
		}
	}
	o := Linearizable(h, time.Minute)
	require.True(t, o.OK, o.String())
	require.Equal(t, 3, o.Commands, "an assumed command is not counted")
}

// Under a policy that compares acceptances, several may be pending, and one wins.
func TestAPendingAcceptanceMayLose(t *testing.T) {
	h := ride()
	for i := range h {
		if h[i].What == Return && h[i].Op == "accept" {
			h[i].Code, h[i].Version, h[i].Status = "", 0, ""
		}
	}
	require.True(t, Linearizable(h, time.Minute).OK)
}

func TestWrongOrdersAreFound(t *testing.T) {
	ret := func(h []Record, op string) *Record {
		for i := range h {
			if h[i].What == Return && h[i].Op == op && h[i].Code == "" {
				return &h[i]
			}
		}
		t.Fatalf("no %s in the history", op)
		return nil
	}
	for name, mutate := range map[string]func([]Record){
		"an arrival before the match": func(h []Record) {
			*ret(h, "accept") = Record{What: Lost, Who: "bo", Role: "driver"}
			dropCall(h, "accept", "bo")
		},
		"another status":       func(h []Record) { ret(h, "accept").Status = arrived },
		"a version that falls": func(h []Record) { ret(h, "arrived").Version = 2 },
	} {
		h := ride()
		mutate(h)
		require.False(t, Linearizable(h, time.Minute).OK, name)
	}
}

func dropCall(h []Record, op, who string) {
	for i := range h {
		if h[i].What == Call && h[i].Op == op && h[i].Who == who {
			h[i] = Record{What: Lost, Who: who, Role: h[i].Role}
		}
	}
}
