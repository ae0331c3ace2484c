package geo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTurnOf(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     Turn
	}{
		{0, 0, TurnStraight}, {350, 5, TurnStraight}, {5, 350, TurnStraight}, {90, 180, TurnRight}, {90, 0, TurnLeft},
		{0, 270, TurnLeft}, {270, 0, TurnRight}, {0, 30, TurnSlightRight}, {0, 330, TurnSlightLeft}, {0, 150, TurnSharpRight},
		{0, 210, TurnSharpLeft}, {0, 180, TurnRound}, {359, 180, TurnRound}, {10, 185, TurnRound},
	} {
		require.Equal(t, c.want, TurnOf(c.from, c.to), "%v to %v", c.from, c.to)
	}
	require.Equal(t, "sharp_left", TurnSharpLeft.String())
	require.Equal(t, "arrive", TurnArrive.String())
	require.Equal(t, "unknown", Turn(200).String())
}
