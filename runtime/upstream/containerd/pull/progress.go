package pull

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"sandkube.dev/upstream/containerd/fault"
)

// silenceLimit is how long a download may bring nothing before it is given up.
const silenceLimit = 2 * time.Minute

// Progress is how far a pull is.
type Progress struct {
	// DoneBytes are here, of TotalBytes that are known of so far.
	DoneBytes  int64 `json:"doneBytes"`
	TotalBytes int64 `json:"totalBytes"`
}

// meter counts what comes in. Its methods may be called at the same time.
type meter struct {
	mu    sync.Mutex
	sizes map[digest.Digest]int64
	done  map[digest.Digest]int64
}

func newMeter() *meter {
	return &meter{sizes: make(map[digest.Digest]int64), done: make(map[digest.Digest]int64)}
}

func (m *meter) progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p Progress
	for of, size := range m.sizes {
		p.TotalBytes += size
		p.DoneBytes += min(size, m.done[of])
	}
	return p
}

func (m *meter) expect(descriptors ...ocispec.Descriptor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, descriptor := range descriptors {
		m.sizes[descriptor.Digest] = descriptor.Size
	}
}

// reach notes that content is here up to an offset.
func (m *meter) reach(of digest.Digest, offset int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[of] = max(m.done[of], offset)
}

// handler sees which content an image has, and what of it is here already.
func (m *meter) handler(inner images.Handler) images.Handler {
	return images.HandlerFunc(func(ctx context.Context, descriptor ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		m.expect(descriptor)
		children, err := inner.Handle(ctx, descriptor)
		if err == nil {
			m.reach(descriptor.Digest, descriptor.Size)
			m.expect(children...)
		}
		return children, err
	})
}

// resolver counts what its fetchers read.
type resolver struct {
	remotes.Resolver
	meter *meter
	host  string
}

// Fetcher implements remotes.Resolver.
func (r resolver) Fetcher(ctx context.Context, ref string) (remotes.Fetcher, error) {
	fetcher, err := r.Resolver.Fetcher(ctx, ref)
	if err != nil {
		return nil, err
	}
	return remotes.FetcherFunc(func(ctx context.Context, descriptor ocispec.Descriptor) (io.ReadCloser, error) {
		ctx, cancel := context.WithCancel(ctx)
		reader, err := fetcher.Fetch(ctx, descriptor)
		if err != nil {
			cancel()
			return nil, err
		}
		counted := &reading{ReadCloser: reader, meter: r.meter, digest: descriptor.Digest, host: r.host, cancel: cancel}
		if seeker, ok := reader.(io.Seeker); ok {
			return &seekableReading{reading: counted, seeker: seeker}, nil
		}
		return counted, nil
	}), nil
}

type reading struct {
	io.ReadCloser
	meter  *meter
	digest digest.Digest
	offset int64
	// host is whom silence is blamed on, and cancel ends the request.
	host   string
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	var silent atomic.Bool
	timer := time.AfterFunc(silenceLimit, func() {
		silent.Store(true)
		r.cancel()
	})
	n, err := r.ReadCloser.Read(p)
	timer.Stop()
	r.offset += int64(n)
	r.meter.reach(r.digest, r.offset)
	if err != nil && silent.Load() {
		message := fmt.Sprintf("no more data has come for %v", silenceLimit)
		err = &fault.Fault{Kind: fault.Unreachable, Host: r.host, Message: message, Transient: true}
	}
	return n, err
}

// Close implements io.Closer.
func (r *reading) Close() error {
	defer r.cancel()
	return r.ReadCloser.Close()
}

// seekableReading lets an interrupted download go on where it was.
type seekableReading struct {
	*reading
	seeker io.Seeker
}

// Seek implements io.Seeker.
func (r *seekableReading) Seek(offset int64, whence int) (int64, error) {
	at, err := r.seeker.Seek(offset, whence)
	if err == nil {
		r.offset = at
	}
	return at, err
}
