package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	nic tcpip.NICID = 1
	// bufferBytes is how much a TCP connection of a pod holds for each direction at most.
	bufferBytes = 512 << 10
	// timeWait is short: between a pod and its gateway no segment strays for long.
	timeWait = time.Second
)

// newStack makes a stack that takes packets to any address as its own, and answers from
// there. Its own address is the gateway's.
func newStack(link stack.LinkEndpoint, address netip.Prefix) (*stack.Stack, error) {
	netstack := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{
			tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4,
		},
	})
	if err := configure(netstack, link, address); err != nil {
		netstack.Close()
		return nil, err
	}
	return netstack, nil
}

func configure(netstack *stack.Stack, link stack.LinkEndpoint, address netip.Prefix) error {
	if err := tuneTCP(netstack); err != nil {
		return err
	}
	if err := netstack.CreateNIC(nic, link); err != nil {
		return fmt.Errorf("make the stack's interface: %s", err)
	}
	own := tcpip.ProtocolAddress{
		Protocol: ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: tcpip.AddrFrom4(address.Addr().As4()), PrefixLen: address.Bits(),
		},
	}
	if err := netstack.AddProtocolAddress(nic, own, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("give the stack the address %s: %s", address, err)
	}
	if err := netstack.SetPromiscuousMode(nic, true); err != nil {
		return fmt.Errorf("let the stack take all packets: %s", err)
	}
	if err := netstack.SetSpoofing(nic, true); err != nil {
		return fmt.Errorf("let the stack answer from all addresses: %s", err)
	}
	netstack.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nic}})
	return nil
}

func tuneTCP(netstack *stack.Stack) error {
	sack := tcpip.TCPSACKEnabled(true)
	// RACK takes acknowledgements that come in late for losses, and shrinks the window.
	recovery := tcpip.TCPRecovery(0)
	congestion := tcpip.CongestionControlOption("reno")
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{
		Min: tcp.MinBufferSize, Default: bufferBytes, Max: bufferBytes,
	}
	send := tcpip.TCPSendBufferSizeRangeOption{
		Min: tcp.MinBufferSize, Default: bufferBytes, Max: bufferBytes,
	}
	wait := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	for _, option := range []tcpip.SettableTransportProtocolOption{
		&sack, &recovery, &congestion, &moderate, &receive, &send, &wait,
	} {
		if err := netstack.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return fmt.Errorf("set %T: %s", option, err)
		}
	}
	return nil
}
