package filter

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"sandkube.dev/runtime/network/internal/policy"
	"sandkube.dev/runtime/network/internal/servicenamespace"
)

var (
	serviceAddress = netip.MustParsePrefix("10.42.0.254/24")
	serviceRange   = netip.MustParsePrefix("10.43.0.0/16")
	// virtualAddress stands for pod-0, later ones for the pods after it.
	virtualAddress = netip.MustParseAddr("10.43.0.10")
)

const serviceLink = "sandkube-te-svc"

// services are a node's virtual addresses, each of which answers in its pod's stead.
func (n *node) services(t *testing.T) *servicenamespace.Namespace {
	t.Helper()
	made, err := servicenamespace.Open(servicenamespace.Config{
		Bridge: bridgeName, Link: serviceLink, ServiceAddress: serviceAddress, ServiceRange: serviceRange,
		NodeAddress: nodeAddress, MTU: mtu,
	})
	must(t, err)
	address := virtualAddress
	for _, pod := range n.pods {
		must(t, made.AddAddress(address))
		listener, err := made.ListenTCP(netip.AddrPortFrom(address, port))
		must(t, err)
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(connection, connection) }()
			}
		}()
		must(t, pod.do(routeByProxy))
		address = address.Next()
	}
	return made
}

// routeByProxy lets the pod of the calling thread find virtual addresses.
func routeByProxy() error {
	inside, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{
		LinkIndex: inside.Attrs().Index,
		Dst:       &net.IPNet{IP: serviceRange.Addr().AsSlice(), Mask: net.CIDRMask(serviceRange.Bits(), 32)},
		Gw:        serviceAddress.Addr().AsSlice(),
	})
}

// rulesBehind are the rules of a node whose virtual addresses stand for its pods.
func (n *node) rulesBehind(policies ...*networkingv1.NetworkPolicy) *policy.Rules {
	return rulesAt(n.pods, policy.Node{
		Addresses: []netip.Addr{nodeAddress}, ServiceRange: serviceRange,
		Endpoints: func(_ v1.Protocol, frontend netip.AddrPort) []netip.AddrPort {
			address := virtualAddress
			for _, pod := range n.pods {
				if frontend.Addr() == address {
					return []netip.AddrPort{netip.AddrPortFrom(pod.address, port)}
				}
				address = address.Next()
			}
			return nil
		},
	}, policies...)
}

func TestWhoMayNotReachAServiceIsNotConnected(t *testing.T) {
	inNode(t, 3, func(t *testing.T, node *node) {
		namespace := node.services(t)
		config := node.filterConfig()
		config.Services = &ServiceLink{Name: serviceLink, Address: serviceAddress.Addr(), Range: serviceRange}
		filter, err := Open(config)
		must(t, err)
		before := node.linkNames(t)
		pods := node.pods
		first, second := virtual(0), virtual(1)
		for round := range 2 {
			node.reaches(t, "tcp4", pods[2], first, true)
			older, err := pods[2].dial("tcp4", first, patience)
			must(t, err)
			must(t, older.say("before", patience))

			must(t, filter.Apply(t.Context(), node.rulesBehind(ingress("pod-0", "pod-1"))))
			node.reaches(t, "tcp4", pods[1], first, true)
			node.reaches(t, "tcp4", nil, first, true)
			node.reaches(t, "tcp4", pods[2], second, true)
			node.reaches(t, "tcp4", pods[0], second, true)
			if filter.wiring.stuck {
				must(t, errors.Join(filter.Close(t.Context()), namespace.Close()))
				t.Skip("here the proxy's link can not be filtered without the loss of its sockets")
			}
			if connection, err := pods[2].dial("tcp4", first, silence); err == nil {
				t.Errorf("round %d: pod-2 is connected to what it may not reach", round)
				_ = connection.Close()
			} else if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("round %d: pod-2 gets %v, want no answer", round, err)
			}
			if err := older.say("during", silence); err == nil {
				t.Errorf("round %d: a connection goes on after it is denied", round)
			}
			_ = older.Close()

			must(t, filter.Apply(t.Context(), node.rulesBehind()))
			node.reaches(t, "tcp4", pods[2], first, true)
			if after := node.linkNames(t); !maps.Equal(before, after) {
				t.Errorf("round %d: links %v, want %v", round, after, before)
			}
		}
		must(t, errors.Join(filter.Close(t.Context()), namespace.Close()))
	})
}

// virtual is the virtual address of the pod with a number, to be reached.
func virtual(number int) *pod {
	address := virtualAddress
	for range number {
		address = address.Next()
	}
	return &pod{name: fmt.Sprintf("service-%d", number), address: address}
}
