package ws_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

// feed gives an assembler pieces and returns what it yields, with the code of
// the violation or 0.
func feed(t testing.TB, a *ws.Assembler, pieces [][]byte) ([]item, ws.Code) {
	var items []item
	for _, p := range pieces {
		p = bytes.Clone(p) // Feed unmasks in place
		for len(p) > 0 {
			rest, it, err := a.Feed(p)
			if err != nil {
				var v *ws.Violation
				require.ErrorAs(t, err, &v)
				require.Empty(t, rest)
				require.Equal(t, ws.OpContinuation, it.Op)
				return items, v.Code
			}
			if it.Op != ws.OpContinuation {
				items = append(items, item{it.Op, string(it.Payload)})
			}
			p = rest
		}
	}
	return items, 0
}

// cut cuts b into pieces of at most n bytes.
func cut(b []byte, n int) [][]byte {
	var pieces [][]byte
	for len(b) > n {
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return append(pieces, b)
}

func TestAssemblerTable(t *testing.T) {
	for i, c := range table() {
		for _, size := range []int{1 << 20, 1, 2, 3, 7, 512} {
			t.Run(fmt.Sprintf("%d %s/by %d", i, c.name, size), func(t *testing.T) {
				a := ws.NewAssembler(ws.Rules{})
				items, code := feed(t, a, cut(c.bytes, size))
				require.Equal(t, c.code, code)
				require.Equal(t, c.items, items)
				require.LessOrEqual(t, a.Held(), 64<<10)
			})
		}
	}
}

func TestAssemblerDoesNotCareAboutCuts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cases := table()
	for range 2000 {
		var stream []byte
		for range 1 + random.IntN(4) {
			stream = append(stream, cases[random.IntN(len(cases))].bytes...)
		}
		wantItems, wantCode := feed(t, ws.NewAssembler(ws.Rules{}), [][]byte{stream})
		var pieces [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(1<<random.IntN(14)))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		items, code := feed(t, ws.NewAssembler(ws.Rules{}), pieces)
		require.Equal(t, wantCode, code)
		require.Equal(t, wantItems, items)
	}
}

func TestAssemblerAllocatesForWhatArrivedOnly(t *testing.T) {
	for _, announced := range []uint64{64 << 10, 65 << 10, 262 << 20, 1<<63 - 1, 1 << 63} {
		a := ws.NewAssembler(ws.Rules{MaxFrame: 1 << 62, MaxMessage: 1 << 62})
		_, _, _ = a.Feed(raw(bin, announced, "x"))
		require.LessOrEqual(t, a.Held(), 4096, "%d announced", announced)
	}
	a := ws.NewAssembler(ws.Rules{})
	feed(t, a, [][]byte{frame(bin0, string(make([]byte, 40_000)))})
	require.GreaterOrEqual(t, a.Held(), 40_000)
	require.LessOrEqual(t, a.Held(), 64<<10)
	a.Reset()
	require.Zero(t, a.Held())
	items, code := feed(t, a, [][]byte{frame(text, "again")})
	require.Zero(t, code)
	require.Equal(t, []item{{ws.OpText, "again"}}, items)
}

func TestAssemblerViolationIsFinal(t *testing.T) {
	a := ws.NewAssembler(ws.Rules{})
	_, _, first := a.Feed([]byte{0xff})
	require.Error(t, first)
	_, _, again := a.Feed(frame(text, "good"))
	require.Equal(t, first, again)
}

func TestAssemblerReadsServers(t *testing.T) {
	a := ws.NewAssembler(ws.Rules{FromServer: true})
	items, code := feed(t, a, cut([]byte{text0, 1, 'a', last, 1, 'b', ping, 0}, 1))
	require.Zero(t, code)
	require.Equal(t, []item{{ws.OpText, "ab"}, {ws.OpPing, ""}}, items)
	_, code = feed(t, a, [][]byte{frame(text, "masked")})
	require.Equal(t, ws.CodeProtocolError, code)
}

// FuzzAssembler: what is yielded does not depend on how the stream was cut, and
// memory stays within the message limit.
func FuzzAssembler(f *testing.F) {
	for i, c := range table() {
		if len(c.bytes) < 300 {
			f.Add(c.bytes, uint64(i))
		}
	}
	const limit = 1 << 10
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		rules := ws.Rules{MaxFrame: limit, MaxMessage: limit}
		wantItems, wantCode := feed(t, ws.NewAssembler(rules), [][]byte{stream})

		random := rand.New(rand.NewPCG(seed, 0))
		var pieces [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(40))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		a := ws.NewAssembler(rules)
		items, code := feed(t, a, pieces)
		require.Equal(t, wantCode, code)
		require.Equal(t, wantItems, items)
		require.LessOrEqual(t, a.Held(), max(limit, 4096))
		for _, it := range items {
			require.LessOrEqual(t, len(it.Payload), limit)
		}
	})
}
