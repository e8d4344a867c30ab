package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/service"
	"sandkube.dev/runtime/network/internal/loopback"
	"sandkube.dev/runtime/network/internal/policy"
	"sandkube.dev/runtime/network/internal/proxy"
	"sandkube.dev/runtime/network/internal/servicenamespace"
	"sandkube.dev/runtime/network/internal/services"
)

// Names of the services that the role consists of.
const (
	apiAccess     = "api-access"
	apiServerPort = "api-server-port"
	gatewayPart   = "gateway"
	policyPart    = "network-policy"
	proxyPart     = "service-proxy"
	dnsPart       = "dns"
	loopbackPart  = "loopback-ports"
)

// network is what the services of the role share.
type network struct {
	spec   *nodespec.NodeSpec
	log    *slog.Logger
	api    *rest.Config
	client kubernetes.Interface

	// nodes are all of the cluster, and nodeAddress the first one's.
	nodes       []node
	nodeAddress netip.Addr
	// podRange is that of all nodes.
	podRange netip.Prefix
	// serviceAddress is invalid in host-network mode.
	serviceAddress netip.Addr
	serviceRange   netip.Prefix
	dnsAddress     netip.Addr

	// namespace is nil in host-network mode; virtual is where the addresses of Services are.
	namespace *servicenamespace.Namespace
	virtual   proxy.Namespace
	balancer  *services.Balancer
	// advertisedAPI is the endpoint of default/kubernetes, and listeningAPI where the API
	// server is found behind it.
	advertisedAPI netip.AddrPort
	listeningAPI  netip.AddrPort
	// rules are the NetworkPolicies in force, snapshot the Services; nil until they are known.
	rules    atomic.Pointer[policy.Rules]
	snapshot atomic.Pointer[services.Snapshot]
}

// runNetwork runs the network of all nodes until ctx is done.
func runNetwork(ctx context.Context, spec *nodespec.NodeSpec, reporter service.Reporter, log *slog.Logger) (err error) {
	n, err := newNetwork(spec, log)
	if err != nil {
		return err
	}
	if n.sharesNetwork() {
		n.virtual = loopback.Range{}
		return service.Run(ctx, n.hostParts(), reporter)
	}
	// The links are made while the API server starts.
	n.namespace, err = servicenamespace.Open(servicenamespace.Config{
		Bridge:         spec.Node.Network.Bridge,
		Link:           spec.Node.Network.ServiceLink(),
		ServiceAddress: netip.PrefixFrom(n.serviceAddress, n.podRange.Bits()),
		ServiceRange:   n.serviceRange,
		NodeAddress:    n.nodeAddress,
		MTU:            spec.Node.Network.MTU,
	})
	if err != nil {
		return fmt.Errorf("namespace of the Services: %w", err)
	}
	defer func() { err = errors.Join(err, n.namespace.Close()) }()
	n.virtual = n.namespace
	return service.Run(ctx, n.bridgeParts(), reporter)
}

// bridgeParts are the role's services where each pod has a network of its own.
func (n *network) bridgeParts() []service.Service {
	parts := []service.Service{
		{Name: apiServerPort, Run: n.runAPIServerPort},
		{Name: apiAccess, Run: n.waitForAccess},
		// What is forwarded is held against the policies, so they are known first.
		{Name: policyPart, Dependencies: []string{apiAccess}, Run: n.runPolicy},
		{Name: proxyPart, Dependencies: []string{policyPart}, Run: n.runProxy},
		{Name: dnsPart, Dependencies: []string{apiAccess}, Run: n.runDNS},
	}
	if len(n.spec.Node.Network.LoopbackPorts) > 0 {
		parts = append(parts, service.Service{Name: loopbackPart, Run: n.runLoopbackPorts})
	}
	if n.spec.Node.Network.GatewayAddress != "" {
		parts = append(parts, service.Service{Name: gatewayPart, Run: n.runGateway})
	}
	return parts
}

// hostParts are the role's services in host-network mode. Pods use the sandbox's own ways to
// the outside. The API server is not opened at the address that it advertises, which reaches
// beyond the sandbox: pods find it by its Service.
func (n *network) hostParts() []service.Service {
	return []service.Service{
		{Name: apiAccess, Run: n.waitForAccess},
		{Name: policyPart, Dependencies: []string{apiAccess}, Run: n.runWithoutPolicy},
		{Name: proxyPart, Dependencies: []string{apiAccess}, Run: n.runProxy},
		{Name: dnsPart, Dependencies: []string{apiAccess}, Run: n.runDNS},
	}
}

// sharesNetwork says whether the node, then the only one, is in host-network mode: pods have its network.
func (n *network) sharesNetwork() bool { return n.spec.Node.Network.Mode == nodespec.NetworkHost }

func newNetwork(spec *nodespec.NodeSpec, log *slog.Logger) (*network, error) {
	n := &network{spec: spec, log: log, balancer: services.NewBalancer()}
	var errs []error
	address := func(text string) netip.Addr {
		parsed, err := netip.ParseAddr(text)
		errs = append(errs, err)
		return parsed
	}
	prefix := func(text string) netip.Prefix {
		parsed, err := netip.ParsePrefix(text)
		errs = append(errs, err)
		return parsed
	}
	for _, view := range spec.Views() {
		n.nodes = append(n.nodes, node{view: view, address: address(view.Self.Address), podRange: prefix(view.Self.PodRange)})
	}
	n.nodeAddress = n.nodes[0].address
	n.podRange = prefix(spec.ControlPlane.PodRange)
	if !n.sharesNetwork() {
		n.serviceAddress = address(spec.Node.Network.ServiceAddress)
	}
	n.serviceRange = prefix(spec.ControlPlane.ServiceRange)
	n.dnsAddress = address(spec.Node.Network.DNSAddress)
	api := spec.ControlPlane
	n.advertisedAPI = netip.AddrPortFrom(address(api.AdvertiseAddress), uint16(api.Port))
	n.listeningAPI = netip.AddrPortFrom(address(api.BindAddress), uint16(api.Port))
	if n.listeningAPI.Addr().IsUnspecified() {
		// It listens at the advertised address too.
		n.listeningAPI = n.advertisedAPI
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("node spec: %w", err)
	}
	kubeconfig := spec.Kubeconfig(role)
	var err error
	if n.api, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	if n.client, err = services.NewClient(n.api); err != nil {
		return nil, err
	}
	return n, nil
}

// warn tells what could not be done for now.
func (n *network) warn(what string, err error) {
	if err != nil {
		n.log.Warn("not all could be done", "for", what, "error", err)
	}
}
