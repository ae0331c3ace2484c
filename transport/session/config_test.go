package session

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/transport/ws"
)

func TestConfigIsValidated(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for name, set := range map[string]func(*Config){
		"nothing": func(c *Config) { *c = Config{} }, "no sockets": func(c *Config) { c.MaxSockets = 0 },
		"negative bound": func(c *Config) { c.MaxPerAddress = -1 }, "no time": func(c *Config) { c.AnswerWithin = 0 },
		"no rate": func(c *Config) { c.FrameRate = 0 }, "no burst": func(c *Config) { c.LocationBurst = 0 },
		"no time to come back": func(c *Config) { c.RetryAfterMin = 0 }, "negative spread": func(c *Config) { c.RetryAfterSpread = -time.Second },
	} {
		c := DefaultConfig()
		set(&c)
		_, err := New(c, nil, nil)
		require.ErrorIs(t, err, ErrConfig, name)
	}
	c := DefaultConfig()
	c.MaxPerAddress = 0
	require.NoError(t, c.Validate(), "0: no bound")
	c.Socket.MaxQueue = 0
	require.ErrorIs(t, c.Validate(), ws.ErrConfig)
}
