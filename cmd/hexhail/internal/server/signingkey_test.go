package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/auth"
)

// keyBlocks are a key as PEM: its private and its public form, and its id.
func keyBlocks(t *testing.T) (private, public, id string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(priv)
	require.NoError(t, err)
	private = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	der, err = x509.MarshalPKIXPublicKey(pub)
	require.NoError(t, err)
	public = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	keys, err := auth.ParseKeys(private)
	require.NoError(t, err)
	return private, public, keys.ID()
}

func writeKeys(t *testing.T, c *config.Config, blocks ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(c.SigningKeyPath(), []byte(strings.Join(blocks, "")), 0o600))
}

// TestAnotherSigningKeyIsRefused, and so is a missing one, which is not made then. A lost key is
// replaced on demand.
func TestAnotherSigningKeyIsRefused(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t)
	first := startNode(t, nodeConfig(t, url))
	recorded, err := first.store.Setting(t.Context(), keySetting)
	require.NoError(t, err)
	require.NotEmpty(t, recorded)

	c := nodeConfig(t, url)
	_, err = sharedKeys(t.Context(), c, first.store, false)
	require.ErrorContains(t, err, c.SigningKeyPath()+" is missing, but servers on this database sign with key "+recorded)
	require.NoFileExists(t, c.SigningKeyPath())

	private, _, id := keyBlocks(t)
	writeKeys(t, c, private)
	for range 2 { // a refusal changes nothing
		_, err = sharedKeys(t.Context(), c, first.store, false)
		require.ErrorContains(t, err, fmt.Sprintf("%s signs with key %s, but servers on this database sign with key %s", c.SigningKeyPath(), id, recorded))
		require.NotContains(t, err.Error(), "\n")
	}
	_, err = sharedKeys(t.Context(), first.cfg, first.store, false)
	require.NoError(t, err)

	keys, err := sharedKeys(t.Context(), c, first.store, true)
	require.NoError(t, err)
	require.Equal(t, id, keys.ID())
	_, err = sharedKeys(t.Context(), first.cfg, first.store, false)
	require.ErrorContains(t, err, "sign with key "+id, "it is the former key by now")
}

// TestKeysAreChangedInThreeSteps: added to every server, first in every server, and the former one
// removed from every server. Servers restart one by one, in any order, and all tokens count all the
// time.
func TestKeysAreChangedInThreeSteps(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t)
	configs := []*config.Config{nodeConfig(t, url), nodeConfig(t, url)}
	old, oldPublic, _ := keyBlocks(t)
	next, nextPublic, id := keyBlocks(t)
	for _, c := range configs {
		writeKeys(t, c, old)
	}
	nodes := []node{startNode(t, configs[0]), startNode(t, configs[1])}
	_, tk := nodes[0].signUp(t, "alice")
	tokens, restarts := []string{tk.Access}, 0
	restart := func(i int, blocks ...string) {
		writeKeys(t, configs[i], blocks...)
		nodes[i] = startNode(t, configs[i], nodes[i].store)
		restarts++
		_, tk := nodes[i].signUp(t, fmt.Sprint("rider", restarts))
		tokens = append(tokens, tk.Access)
	}
	everyToken := func() {
		t.Helper()
		for i, token := range tokens {
			for _, n := range nodes {
				_, err := n.Authenticate(t.Context(), token)
				require.NoError(t, err, "token %d", i)
			}
		}
	}
	for i, added := range []string{next, nextPublic} { // private or public
		restart(i, old, added)
		everyToken()
	}
	restart(0, next, oldPublic)
	everyToken()
	restart(1, old, nextPublic) // once more before its turn
	everyToken()
	restart(1, next, old)
	everyToken()
	recorded, err := nodes[0].store.Setting(t.Context(), keySetting)
	require.NoError(t, err)
	require.Equal(t, id, recorded)

	// The access tokens of the former key have run out by the third step.
	tokens = nil
	for i := range nodes {
		restart(i, next)
		everyToken()
	}
	_, err = nodes[1].Authenticate(t.Context(), tk.Access)
	require.ErrorIs(t, err, ride.ErrUnauthenticated)
	_, refreshed, err := nodes[1].Refresh(t.Context(), tk.Refresh, "")
	require.NoError(t, err, "the log-in outlives the key")
	tokens = append(tokens, refreshed.Access)
	everyToken()
	writeKeys(t, configs[0], old)
	_, err = sharedKeys(t.Context(), configs[0], nodes[0].store, false)
	require.ErrorContains(t, err, "sign with key "+id)
}

// TestFirstServersAtOnce: of servers that start at once on a new database, each with a key of its own,
// one is admitted.
func TestFirstServersAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t)
	const n = 4
	configs, errs := make([]*config.Config, n), make([]error, n)
	stores := []*persistence.Store{openNode(t, nodeConfig(t, url)), openNode(t, nodeConfig(t, url))}
	var wg sync.WaitGroup
	for i := range n {
		configs[i] = nodeConfig(t, url)
		private, _, _ := keyBlocks(t)
		writeKeys(t, configs[i], private)
	}
	for i := range n {
		wg.Go(func() { _, errs[i] = sharedKeys(t.Context(), configs[i], stores[i%2], false) })
	}
	wg.Wait()
	admitted := 0
	for i, err := range errs {
		if err == nil {
			admitted++
			_, err = sharedKeys(t.Context(), configs[i], stores[0], false)
			require.NoError(t, err, "and stays so")
			continue
		}
		require.ErrorContains(t, err, "but servers on this database sign with key")
	}
	require.Equal(t, 1, admitted)
}
