// Package exposure makes Services and pods reachable at ports of the sandbox itself:
// NodePorts, the ports of load balancers, and pods' host ports.
package exposure

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

// retryInterval is how often a port that is taken is tried again.
const retryInterval = 3 * time.Second

// Config says what an Exposure works with.
type Config struct {
	Balancer forward.Balancer
	// Dial connects to endpoints; nil: from the network namespace of the calling process.
	Dial forward.DialFunc
	// Allow is asked for each connection and flow; nil: all are allowed.
	Allow forward.AllowFunc
	// External says whether a client is neither a pod nor the node itself.
	External func(client netip.Addr) bool
	// Report tells the Service or Pod that wants a port why it can not be had: once
	// for each reason. It must not call the Exposure.
	Report func(owner v1.ObjectReference, message string)
	Logger *slog.Logger
}

// HostPort is a port of the sandbox that stands for one of a pod.
type HostPort struct {
	// Pod is who wants it.
	Pod v1.ObjectReference
	// Protocol is TCP or UDP.
	Protocol v1.Protocol
	// At is where to listen; the address is unspecified for all of the sandbox's.
	At netip.AddrPort
	// Target is the container's port.
	Target netip.AddrPort
}

// socket identifies a listener in the root network namespace.
type socket struct {
	protocol v1.Protocol
	at       netip.AddrPort
}

// wish is a socket that somebody wants, and what is to stand behind it.
type wish struct {
	owner v1.ObjectReference
	port  *services.Port
}

// Exposure keeps the listeners that were applied last.
type Exposure struct {
	config    Config
	forwarder *forward.Forwarder
	// running ends the connections that are left when the Exposure is closed.
	running context.Context
	end     context.CancelFunc
	serving sync.WaitGroup

	lock    sync.Mutex
	wishes  map[socket]wish
	open    map[socket]*listener
	refused map[refusal]string
	// retry is running while a wish is refused.
	retry *time.Timer
}

// New makes an Exposure of nothing.
func New(config Config) *Exposure {
	running, end := context.WithCancel(context.Background())
	return &Exposure{
		config: config, forwarder: forward.New(config.Dial, config.Logger),
		running: running, end: end,
		open: map[socket]*listener{}, refused: map[refusal]string{},
	}
}

// Apply makes the listeners those of the node's frontends that have external endpoints
// and of the pods' host ports. Connections stay. A port that can not be had is reported
// and tried again by itself. Where two want the same, the Service has it.
func (e *Exposure) Apply(frontends map[services.NodeFrontend]*services.Port, hostPorts []HostPort) error {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.running.Err() != nil {
		return nil
	}
	wishes, clashes := collect(frontends, hostPorts)
	err := e.closeUnwanted(wishes)
	e.wishes = wishes
	refused := e.openWanted()
	for key, message := range clashes {
		refused[key] = message
	}
	e.report(refused)
	return err
}

// closeUnwanted closes the listeners that no one wants any more.
func (e *Exposure) closeUnwanted(wishes map[socket]wish) error {
	var errs []error
	for at, opened := range e.open {
		if _, wanted := wishes[at]; !wanted {
			delete(e.open, at)
			errs = append(errs, opened.close())
		}
	}
	return errors.Join(errs...)
}

// openWanted opens what is wanted and not open, and returns what can not be had.
func (e *Exposure) openWanted() map[refusal]string {
	refused := map[refusal]string{}
	for at, wished := range e.wishes {
		if opened := e.open[at]; opened != nil {
			opened.port.Set(wished.port)
			continue
		}
		opened, err := e.listen(at, wished.port)
		if err != nil {
			refused[refusal{at, wished.owner}] = explain(at, err)
			continue
		}
		e.open[at] = opened
	}
	return refused
}

// Close closes the listeners, ends all connections and waits for that.
func (e *Exposure) Close() error {
	err := e.Apply(nil, nil)
	e.end()
	e.serving.Wait()
	return err
}
