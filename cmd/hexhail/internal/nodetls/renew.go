package nodetls

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// warnBefore is how long before its end a certificate is reported, unless a third of its life is
// shorter: one that is renewed every day is not always about to expire.
const warnBefore = 7 * 24 * time.Hour

// stage is how near to its end a certificate is.
type stage int

const (
	valid stage = iota
	ending
	expired
)

// current returns what the files give now, or gave when they were last good.
func (c *Credentials) current() *identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complain(c.renew())
	c.warn()
	return c.identity
}

// renew takes up the files if they have changed and are good. The caller holds the lock.
func (c *Credentials) renew() error {
	read, err := c.files.read()
	if err != nil || read.equal(c.good) {
		return err
	}
	identity, err := c.files.check(read, c.host, c.now())
	if err != nil {
		return err
	}
	c.good, c.identity, c.warned = read, identity, valid
	c.log.Info("the node's certificate or the cluster's CA was renewed", "file", c.files.Certificate, "expires", identity.expires)
	return nil
}

// complain logs a reason once, until another one or none takes its place. The caller holds the lock.
func (c *Credentials) complain(err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != "" && why != c.complaint {
		c.log.Warn("the files of the node's certificate cannot be used; the former ones stay in use", "error", err)
	}
	c.complaint = why
}

// warn logs once that the certificate nears its end, and once that it has expired. The caller holds
// the lock.
func (c *Credentials) warn() {
	left := c.identity.expires.Sub(c.now())
	now := valid
	switch {
	case left < 0:
		now = expired
	case left < min(warnBefore, c.identity.lifetime/3):
		now = ending
	}
	if now <= c.warned {
		return
	}
	c.warned = now
	if now == expired {
		c.log.Error("the node's certificate or the cluster's CA has expired: other nodes refuse it",
			"file", c.files.Certificate, "expired", c.identity.expires)
		return
	}
	c.log.Warn("the node's certificate or the cluster's CA expires soon: renew it, no restart is needed",
		"file", c.files.Certificate, "expires", c.identity.expires)
}

// Expires is when the certificate in use or its CA ends, whichever is first. It reads the files.
func (c *Credentials) Expires() time.Time { return c.current().expires }

func newExpiry(c *Credentials) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hexhail_node_certificate_expires_timestamp_seconds",
		Help: "When this node's certificate for other nodes, or the cluster's CA, expires (Unix time).",
	}, func() float64 { return float64(c.Expires().Unix()) })
}

// Describe implements prometheus.Collector.
func (c *Credentials) Describe(ch chan<- *prometheus.Desc) { c.expiry.Describe(ch) }

// Collect implements prometheus.Collector. It reads the files, so that a certificate is renewed, and
// its end reported, on a node whose connections last.
func (c *Credentials) Collect(ch chan<- prometheus.Metric) { c.expiry.Collect(ch) }
