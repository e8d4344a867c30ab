// Package exposure makes Services and pods reachable at ports of the sandbox itself:
// NodePorts, the ports of load balancers, and pods' host ports; in host-network mode
// ClusterIPs as well.
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

// Config says what an Exposure works with.
type Config struct {
	Balancer forward.Balancer
	// Dial connects to endpoints; nil: from the network namespace of the calling process.
	Dial forward.DialFunc
	// Allow is asked for each connection and flow; nil: all are allowed.
	Allow forward.AllowFunc
	// Origin says where a client of a Service comes from; nil: it is the cluster's own.
	Origin forward.OriginFunc
	// NodeAt is the name of the node that has an address; empty when it is no node's. nil:
	// there are no nodes to tell apart.
	NodeAt func(address netip.Addr) string
	// PodAddress is the address that all pods have in host-network mode; invalid where each
	// has its own.
	PodAddress netip.Addr
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
	// Node is the name of the pod's node, at whose addresses the port is the pod's.
	Node string
}

// Wanted is all that is to be reachable.
type Wanted struct {
	// Node are ports at any address of the sandbox.
	Node      map[services.NodeFrontend]*services.Port
	HostPorts []HostPort
	// Cluster are ports at ClusterIPs, which are addresses of the sandbox in host-network
	// mode; nil otherwise.
	Cluster map[services.Frontend]*services.Port
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
	// isHostPort says that the address decides on the pod, whoever the client is.
	isHostPort bool
	// behind is where an endpoint listens that has the same port number in the same network;
	// invalid when there is none.
	behind netip.AddrPort
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
	// retry is running while a wish is refused or waits.
	retry *time.Timer
	// patience is how long the next wait for an endpoint that does not listen yet is.
	patience time.Duration
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

// Apply makes the listeners those of the frontends that have endpoints and of the pods'
// host ports. Connections stay. A port that can not be had is reported and tried again by
// itself. Where two want the same, the Service has it.
func (e *Exposure) Apply(wanted Wanted) error {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.running.Err() != nil {
		return nil
	}
	wishes, clashes := collect(wanted, e.config.PodAddress)
	err := e.closeUnwanted(wishes)
	e.wishes = wishes
	e.patience = firstPatience
	refused, waiting := e.openWanted()
	for key, message := range clashes {
		refused[key] = message
	}
	e.report(refused)
	e.tryLater(waiting)
	return err
}

// closeUnwanted closes the listeners that no one wants any more, and those in the way of an
// endpoint that has got the same port number.
func (e *Exposure) closeUnwanted(wishes map[socket]wish) error {
	var errs []error
	for at, opened := range e.open {
		if wished, wanted := wishes[at]; !wanted || wished.behind != opened.behind {
			delete(e.open, at)
			errs = append(errs, opened.close())
		}
	}
	return errors.Join(errs...)
}

// openWanted opens what is wanted and not open. It returns what can not be had, and whether
// something waits for an endpoint to listen.
func (e *Exposure) openWanted() (refused map[refusal]string, waiting bool) {
	refused = map[refusal]string{}
	for at, wished := range e.wishes {
		if opened := e.open[at]; opened != nil {
			opened.port.Set(wished.port)
			continue
		}
		if wished.behind.IsValid() && !e.isInUse(at.protocol, wished.behind) {
			// An endpoint that listens at all addresses could not any more.
			waiting = true
			continue
		}
		opened, err := e.listen(at, wished)
		if answersItself(at, wished, err) {
			continue
		}
		if err != nil {
			refused[refusal{at, wished.owner}] = explain(at, err)
			continue
		}
		e.open[at] = opened
	}
	return refused, waiting
}

// Close closes the listeners, ends all connections and waits for that.
func (e *Exposure) Close() error {
	err := e.Apply(Wanted{})
	e.end()
	e.serving.Wait()
	return err
}
