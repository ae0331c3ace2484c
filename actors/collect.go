package actors

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Describe and Collect make the System a prometheus.Collector: the actors by kind, and all other
// metrics of this package.
func (s *System) Describe(ch chan<- *prometheus.Desc) {
	s.kinds.trip.Describe(ch)
	for _, c := range s.collectors() {
		c.Describe(ch)
	}
	ch <- descCells
}

// Collect implements prometheus.Collector.
func (s *System) Collect(ch chan<- prometheus.Metric) {
	for _, k := range s.kinds.all() {
		k.Collect(ch)
	}
	for _, c := range s.collectors() {
		c.Collect(ch)
	}
	ch <- prometheus.MustNewConstMetric(descCells, prometheus.GaugeValue, float64(s.place.CellsHere()))
}

// collectors are the metrics of this node's actors and, in a cluster, of the frames.
func (s *System) collectors() []prometheus.Collector {
	all := s.stats.collectors()
	if s.nodes != nil {
		all = append(all, s.nodes.frames)
	}
	return all
}

var descCells = prometheus.NewDesc("hexhail_cells_occupied", "H3 cells with available drivers on this node.", nil, nil)
