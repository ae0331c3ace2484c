package ws_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

func TestConfigIsValidated(t *testing.T) {
	require.NoError(t, ws.DefaultConfig().Validate())
	require.ErrorIs(t, ws.Config{}.Validate(), ws.ErrConfig, "a zero is a zero")
	for name, set := range map[string]func(*ws.Config){
		"no frames": func(c *ws.Config) { c.MaxFrame = 0 }, "no messages": func(c *ws.Config) { c.MaxMessage = 0 },
		"no queue": func(c *ws.Config) { c.MaxQueue = 0 }, "no slow code": func(c *ws.Config) { c.SlowCode = 0 },
		"no silent code": func(c *ws.Config) { c.SilentCode = 0 }, "no time to write": func(c *ws.Config) { c.WriteTimeout = 0 },
		"no pings": func(c *ws.Config) { c.PingInterval = 0 }, "no silence": func(c *ws.Config) { c.SilenceTimeout = 0 },
		"no time to close": func(c *ws.Config) { c.CloseTimeout = 0 }, "negative buffer": func(c *ws.Config) { c.SendBuffer = -1 },
	} {
		require.ErrorIs(t, adjusted(set).Validate(), ws.ErrConfig, name)
	}
	require.NoError(t, adjusted(func(c *ws.Config) { c.SendBuffer = 0 }).Validate(), "0 leaves it to the kernel")
}
