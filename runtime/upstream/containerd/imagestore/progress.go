package imagestore

import (
	"io"
	"time"
)

// Phase is a part of bringing an image in.
type Phase string

const (
	// Reading is of an archive or a directory, into the content store.
	Reading Phase = "reading"
	// Unpacking is of layers, into snapshots.
	Unpacking Phase = "unpacking"
	// Writing is of an archive.
	Writing Phase = "writing"
)

// Report is how far the work is.
type Report struct {
	Phase      Phase  `json:"phase"`
	Bytes      int64  `json:"bytes"`
	TotalBytes int64  `json:"totalBytes,omitempty"` // 0 when not known
	Image      string `json:"image,omitempty"`
	Layer      int    `json:"layer,omitempty"` // from 1
	Layers     int    `json:"layers,omitempty"`
}

// reportInterval is the shortest time between two reports of one phase.
const reportInterval = 200 * time.Millisecond

// Progress hands reports on, at most a few a second.
type Progress struct {
	report func(Report)
	phase  Phase
	last   time.Time
}

// NewProgress makes a Progress that hands reports to a function.
func NewProgress(report func(Report)) *Progress { return &Progress{report: report} }

func (p *Progress) tell(report Report) {
	now := time.Now()
	if report.Phase == p.phase && now.Sub(p.last) < reportInterval {
		return
	}
	p.phase, p.last = report.Phase, now
	p.report(report)
}

// counting tells of each byte that is read through it.
type counting struct {
	io.Reader
	bytes int64
	tell  func(bytes int64)
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	c.tell(c.bytes)
	return n, err
}
