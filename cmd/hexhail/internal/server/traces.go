package server

import (
	"context"

	"github.com/hexhail/hexhail/actors"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/tracing"
)

// startTraces begins to record trips as traces, if there is a collector.
func (p *parts) startTraces(ctx context.Context) (err error) {
	if p.cfg.Traces.URL == "" {
		return nil
	}
	p.traces, err = tracing.New(ctx, tracing.Config{
		URL: p.cfg.Traces.URL, Share: p.cfg.Traces.Share, Node: p.cfg.Cluster.NodeName(), Version: p.version, Log: p.log,
	})
	return err
}

// stopTraces exports what is left. It comes after the actors have stopped.
func (p *parts) stopTraces(ctx context.Context) error {
	if p.traces == nil {
		return nil
	}
	return p.traces.Close(ctx)
}

// tracedStore is the store of the actors. Without a collector it is the plain one.
func (p *parts) tracedStore() actors.Store {
	if p.traces == nil {
		return p.store
	}
	return p.traces.Store(p.store)
}
