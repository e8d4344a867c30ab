package unpackstream

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/typeurl/v2"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	// bombBytes and bombRatio tell a layer that was made to fill the disk: beyond so many
	// bytes, real ones are not so many times smaller when they are compressed.
	bombBytes = 2 << 30
	bombRatio = 200
	// reserveBytes stay free on the disk that layers are unpacked to.
	reserveBytes = 128 << 20
	// checkBytes is after how many bytes the disk is looked at again.
	checkBytes = 32 << 20
)

// payload names, in a request to unpack a layer, the limit for it.
const payload = "sandkube.dev/unpack-limit"

// tooLarge begins the text of the error of a layer that becomes too large.
const tooLarge = "the layer becomes too large: "

// ReasonTooLarge says by what a layer exceeds its limit, if that is what an error is about.
// It looks at the text: of an error that comes by gRPC there is no more.
func ReasonTooLarge(err error) (reason string, is bool) {
	_, reason, is = strings.Cut(err.Error(), tooLarge)
	return reason, is
}

// HintTooLarge is what can be done about a layer that becomes too large.
const HintTooLarge = "If you trust the image, --unpack-limit SIZE allows each of its layers so much."

// WithLimit replaces the usual limit of a layer by a number of bytes; 0: it stays.
func WithLimit(bytes int64) []diff.ApplyOpt {
	if bytes == 0 {
		return nil
	}
	value := &anypb.Any{TypeUrl: payload, Value: []byte(strconv.FormatInt(bytes, 10))}
	return []diff.ApplyOpt{diff.WithPayloads(map[string]typeurl.Any{payload: value})}
}

// limit is what a layer may become: so many bytes or, beyond them, so many times what it
// has compressed; a ratio of 0: no byte more.
type limit struct {
	bytes, ratio int64
}

func limitOf(payloads map[string]typeurl.Any) (limit, error) {
	value, given := payloads[payload]
	if !given {
		return limit{bytes: bombBytes, ratio: bombRatio}, nil
	}
	bytes, err := strconv.ParseInt(string(value.GetValue()), 10, 64)
	if err != nil || bytes <= 0 {
		return limit{}, fmt.Errorf("%s: %q is no number of bytes", payload, value.GetValue())
	}
	return limit{bytes: bytes}, nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	bytes atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// bounded ends a stream that exceeds its limit, or that the disk has no space for.
type bounded struct {
	io.Reader
	compressed *counter
	limit      limit
	disk       space
	bytes      int64
	next       int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.bytes += int64(n)
	if b.bytes > b.limit.bytes {
		compressed := b.compressed.bytes.Load()
		if b.limit.ratio == 0 {
			return 0, fmt.Errorf("%sit has more than the limit of %d bytes", tooLarge, b.limit.bytes)
		}
		if b.bytes > b.limit.ratio*compressed {
			return 0, fmt.Errorf("%s%d bytes have become %d, which is more than %d times as many", tooLarge, compressed, b.bytes, b.limit.ratio)
		}
	}
	if b.bytes >= b.next {
		b.next = b.bytes + checkBytes
		if err := b.disk.check(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// space is the file system that layers are unpacked to.
type space struct{ directory string }

// check returns an error when the disk has hardly any space left, that which is kept for
// root included. A tmpfs is for unpacked layers alone, and may be filled; some file systems
// do not know their size.
func (s space) check() error {
	var found unix.Statfs_t
	if err := unix.Statfs(s.directory, &found); err != nil || found.Blocks == 0 || found.Type == unix.TMPFS_MAGIC {
		return nil
	}
	if free := int64(found.Bfree) * found.Bsize; free < reserveBytes {
		return fmt.Errorf("%d bytes are left where layers are unpacked: %w", free, unix.ENOSPC)
	}
	return nil
}
