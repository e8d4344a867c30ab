// Package filter applies network policies to the packets of the pods that they select.
//
// A pod that no policy selects is a port of the pod bridge. One that is selected is a
// port of a little bridge of its own instead, whose only other port is a TAP of this
// process. A further TAP, the trunk, is a port of the pod bridge:
//
//	pod - veth - little bridge - TAP - [this process] - TAP (trunk) - pod bridge
//
// The process is a switch between all of them that asks the policies about each new
// flow. It never keeps a link: when it ends, its TAPs are gone, and the pods that it
// filtered are cut off until the next one starts.
//
// While any pod is filtered, the link of the Service proxy is too: the proxy's sockets
// accept a connection before anything can be decided, so a client that may reach no
// endpoint of a Service must be stopped on the way there. Where a link would have to be
// made anew for that it stays as it is: sockets at virtual addresses would be lost with it.
package filter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"sandkube.dev/runtime/network/internal/policy"
)

// expiry is how often flows that are over are looked for.
const expiry = 30 * time.Second

// Config says what to filter.
type Config struct {
	// Bridge is the name of the pod bridge, in the network namespace of the process.
	Bridge string
	// MTU is that of the pod bridge, in bytes.
	MTU int
	// Directory holds what must outlive the process. It exists, and whoever starts the
	// next process gives it the same one, in the same mount namespace.
	Directory string
	// Namespaces returns the directories where the network namespaces of the pods are
	// mounted.
	Namespaces func() ([]string, error)
	// Leases returns the link on the node of the pod that has each address.
	Leases func(context.Context) (map[netip.Addr]string, error)
	// Services is where the virtual addresses of Services are; nil: there are none.
	Services *ServiceLink
	Logger   *slog.Logger
}

// ServiceLink is the port of the pod bridge behind which virtual addresses are.
type ServiceLink struct {
	Name string
	// Address is the one by which the virtual addresses in Range are routed.
	Address netip.Addr
	Range   netip.Prefix
}

func (c *Config) serviceLink() string {
	if c.Services == nil {
		return ""
	}
	return c.Services.Name
}

// Filter filters the pods of one bridge.
type Filter struct {
	config   Config
	table    *table
	exchange *exchange
	stop     context.CancelFunc
	stopped  chan struct{}

	mu   sync.Mutex
	node *space
	// wiring is nil until there is something to do.
	wiring  *wiring
	members map[netip.Addr]*member
	// trunk is nil while no pod is filtered.
	trunk *tap
	// leftovers says that an earlier process may have left something.
	leftovers bool
	// stale says that the pod bridge may think a pod behind the trunk that is not: it
	// has to forget the trunk. gVisor never forgets otherwise.
	stale bool
}

// member is a pod that is filtered, or the Service proxy.
type member struct {
	link string
	port *tap
}

// Open starts a filter without any pod. Pods that an earlier process filtered stay cut
// off until Apply says what to do with them.
func Open(config Config) (*Filter, error) {
	node, err := currentSpace()
	if err != nil {
		return nil, err
	}
	table := newTable(policy.Build(nil, nil, nil, policy.Node{}))
	ctx, stop := context.WithCancel(context.Background())
	opened := &Filter{
		config: config, table: table, exchange: newExchange(table, config.Services), stop: stop, stopped: make(chan struct{}),
		node: node, members: map[netip.Addr]*member{}, leftovers: annexExists(config.Directory),
	}
	go opened.expire(ctx)
	return opened, nil
}

func (f *Filter) expire(ctx context.Context) {
	defer close(f.stopped)
	ticker := time.NewTicker(expiry)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.table.expire(f.exchange.seconds())
		}
	}
}

// Apply makes the rules those of all flows, and filters the pods that they select and
// no others. It goes on after an error, and a later call tries again what has failed.
func (f *Filter) Apply(ctx context.Context, rules *policy.Rules) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.setRules(rules)
	leases, err := f.leases(ctx)
	if err != nil {
		return err
	}
	wanted := map[netip.Addr]string{}
	for address := range rules.Selected() {
		if link, found := leases[address]; found && address.Is4() {
			wanted[address] = link
		}
	}
	if f.wiring != nil && f.wiring.stuck {
		// Each way costs a pod its connections, so it stays once it is filtered.
		for address, member := range f.members {
			if leases[address] == member.link {
				wanted[address] = member.link
			}
		}
	}
	return f.reconcile(wanted, leases)
}

// leases are the links of all that can be filtered, by address.
func (f *Filter) leases(ctx context.Context) (map[netip.Addr]string, error) {
	leases, err := f.config.Leases(ctx)
	if err != nil {
		return nil, fmt.Errorf("links of the pods: %w", err)
	}
	if services := f.config.Services; services != nil {
		leases[services.Address] = services.Name
	}
	return leases, nil
}

// Close stops filtering: all pods are plugged into the pod bridge again, and no link
// is left.
func (f *Filter) Close(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop()
	<-f.stopped
	leases, err := f.leases(ctx)
	if err != nil {
		return errors.Join(err, f.node.close())
	}
	err = f.reconcile(nil, leases)
	if f.wiring != nil && err == nil {
		err = f.wiring.annex.removeAll()
	}
	return errors.Join(err, f.node.close())
}
