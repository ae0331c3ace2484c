package citymap

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descInfo = prometheus.NewDesc("hexhail_streets_map_info",
		"The map in use; always 1. Without a map there is no such series.", []string{"id", "extract", "date"}, nil)
	descLoaded = prometheus.NewDesc("hexhail_streets_map_loaded_timestamp_seconds",
		"When the map in use was last loaded, in Unix time; 0: there is none.", nil, nil)
	descTook = prometheus.NewDesc("hexhail_streets_map_load_seconds",
		"How long the last load took, with building the map if it was built.", nil, nil)
	descLoads = prometheus.NewDesc("hexhail_streets_map_loads_total",
		"Loads of the map that succeeded, the first included.", nil, nil)
	descFailures = prometheus.NewDesc("hexhail_streets_map_load_failures_total",
		"Loads of the map that failed; the map before stays in use.", nil, nil)
)

// Describe and Collect make a keeper a prometheus.Collector.
func (k *Keeper) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descInfo, descLoaded, descTook, descLoads, descFailures} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (k *Keeper) Collect(ch chan<- prometheus.Metric) {
	s := k.State()
	loaded := 0.0
	if !s.LoadedAt.IsZero() {
		loaded = float64(s.LoadedAt.UnixMilli()) / 1000
	}
	ch <- prometheus.MustNewConstMetric(descLoaded, prometheus.GaugeValue, loaded)
	ch <- prometheus.MustNewConstMetric(descTook, prometheus.GaugeValue, s.Took.Seconds())
	ch <- prometheus.MustNewConstMetric(descLoads, prometheus.CounterValue, float64(s.Loads))
	ch <- prometheus.MustNewConstMetric(descFailures, prometheus.CounterValue, float64(s.Failures))
	if m := k.o.City.Map(); m != nil {
		date := ""
		if d := m.Meta().Date; !d.IsZero() {
			date = d.UTC().Format(time.RFC3339)
		}
		ch <- prometheus.MustNewConstMetric(descInfo, prometheus.GaugeValue, 1, m.ID(), m.Meta().Source, date)
	}
}
