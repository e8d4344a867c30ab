package forward

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// flow is one client's datagrams to one backend.
type flow struct {
	table      *flowTable
	key        flowKey
	backend    netip.AddrPort
	connection net.Conn

	// opened is the moment that the other times count from, by the monotonic clock.
	opened time.Time
	// last is when the last datagram passed, as a time.Duration since opened.
	last    atomic.Int64
	replied atomic.Bool
}

func newFlow(table *flowTable, key flowKey, backend netip.AddrPort, connection net.Conn) *flow {
	return &flow{table: table, key: key, backend: backend, connection: connection, opened: time.Now()}
}

func (f *flow) touch() { f.last.Store(int64(time.Since(f.opened))) }

// send returns false when the backend can not be reached.
func (f *flow) send(datagram []byte) bool {
	f.touch()
	_, err := f.connection.Write(datagram)
	return err == nil
}

// expiry is when the flow ends unless a datagram passes.
func (f *flow) expiry() time.Time {
	idle := f.table.forwarder.flowIdle
	if f.replied.Load() {
		idle = f.table.forwarder.flowIdleReplied
	}
	return f.opened.Add(time.Duration(f.last.Load()) + idle)
}

// reply passes the backend's datagrams on until the flow has expired or is closed, or
// the backend's kernel refuses.
func (f *flow) reply() {
	for {
		if err := f.connection.SetReadDeadline(f.expiry()); err != nil {
			return
		}
		err := f.replyOnce()
		switch {
		case err == nil:
			f.replied.Store(true)
			f.touch()
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(f.expiry()) {
				return
			}
		default:
			return
		}
	}
}

func (f *flow) replyOnce() error {
	datagram, release, err := receiveDatagram(f.connection)
	if err != nil {
		return err
	}
	defer release()
	// What the client's side refuses is lost, as it would be on the network.
	_ = f.table.frontend.send(datagram, f.key)
	return nil
}
