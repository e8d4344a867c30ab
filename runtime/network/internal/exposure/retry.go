package exposure

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
	v1 "k8s.io/api/core/v1"
)

const (
	// retryInterval is how often a port that is taken is tried again.
	retryInterval = 3 * time.Second
	// firstPatience is the first wait for an endpoint that does not listen yet. Each next one
	// is twice as long, up to retryInterval.
	firstPatience = 50 * time.Millisecond
	// lookLimit is how long it may take to see whether an endpoint of the same network
	// listens: it answers at once, or its queue is full.
	lookLimit = 200 * time.Millisecond
)

// tryLater tries what is refused, or waits for its endpoint, once more after a while.
func (e *Exposure) tryLater(waiting bool) {
	if e.retry != nil {
		e.retry.Stop()
		e.retry = nil
	}
	switch {
	case waiting:
		e.retry = time.AfterFunc(e.patience, e.tryAgain)
		e.patience = min(2*e.patience, retryInterval)
	case len(e.refused) > 0:
		e.retry = time.AfterFunc(retryInterval, e.tryAgain)
	}
}

func (e *Exposure) tryAgain() {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.running.Err() != nil {
		return
	}
	refused, waiting := e.openWanted()
	for key, message := range e.refused {
		// Clashes between wishes end by Apply only.
		if e.wishes[key.at].owner != key.owner {
			refused[key] = message
		}
	}
	e.report(refused)
	e.tryLater(waiting)
}

// isInUse says whether something listens at an address of the sandbox.
func (e *Exposure) isInUse(protocol v1.Protocol, at netip.AddrPort) bool {
	if protocol == v1.ProtocolUDP {
		socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err == nil {
			_ = socket.Close()
		}
		return err != nil
	}
	ctx, cancel := context.WithTimeout(e.running, lookLimit)
	defer cancel()
	connection, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp4", at.String())
	if err == nil {
		_ = connection.Close()
	}
	return !errors.Is(err, unix.ECONNREFUSED)
}

// answersItself says whether a socket can not be had because the endpoint behind it listens
// at all addresses, that one included. A datagram socket does not answer from the address
// that it was asked at, so there it does not help.
func answersItself(at socket, wished wish, err error) bool {
	return at.protocol == v1.ProtocolTCP && wished.behind.IsValid() && errors.Is(err, unix.EADDRINUSE)
}
