package filter

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const tunDevice = "/dev/net/tun"

// tap is a TAP device: a link whose other end is this process. It ends with the
// process, however that ends.
type tap struct {
	file *os.File
	name string
	// done is closed when nothing is read any more, and then err says why.
	done chan struct{}
	err  error
}

// openTAP makes a device and hands every frame that it gets to receive, which must not
// keep it. size is that of the longest frame, in bytes.
func openTAP(name string, size int, receive func(frame []byte)) (*tap, error) {
	descriptor, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", tunDevice, err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TAP %s: %w", name, err), unix.Close(descriptor))
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(descriptor, unix.TUNSETIFF, request); err != nil {
		return nil, errors.Join(fmt.Errorf("make TAP %s: %w", name, err), unix.Close(descriptor))
	}
	made := &tap{file: os.NewFile(uintptr(descriptor), name), name: name, done: make(chan struct{})}
	go made.read(size, receive)
	return made, nil
}

func (t *tap) read(size int, receive func(frame []byte)) {
	defer close(t.done)
	buffer := make([]byte, size)
	for {
		length, err := t.file.Read(buffer)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.err = fmt.Errorf("read from %s: %w", t.name, err)
			}
			return
		}
		receive(buffer[:length])
	}
}

// send puts a frame on the link. One that the link does not take is lost, as frames are.
func (t *tap) send(frame []byte) { _, _ = t.file.Write(frame) }

// failed returns why the device is not read any more; nil as long as it is.
func (t *tap) failed() error {
	select {
	case <-t.done:
		return t.err
	default:
		return nil
	}
}

// close removes the device, and returns when the last frame has been handed over.
func (t *tap) close() error {
	err := t.file.Close()
	<-t.done
	if err != nil {
		return fmt.Errorf("close %s: %w", t.name, err)
	}
	return nil
}
