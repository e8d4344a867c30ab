package gateway

import (
	"fmt"
	"net/netip"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// link is the stack's only interface: the frames of the TAP device. The stack sees IP
// packets. Addresses of the link layer stay here: ARP requests for the gateway are
// answered, and a packet to a pod goes where that pod's last packet came from.
type link struct {
	tap     *os.File
	pods    netip.Prefix
	address netip.Addr
	// hardware is not the TAP device's own, which the bridge keeps to itself.
	hardware tcpip.LinkAddress
	mtu      uint32
	frames   sync.Pool

	mu         sync.RWMutex
	dispatcher stack.NetworkDispatcher
	neighbors  map[tcpip.Address]tcpip.LinkAddress
}

var (
	_ stack.LinkEndpoint = (*link)(nil)
	_ stack.GSOEndpoint  = (*link)(nil)
)

func newLink(tap *os.File, address netip.Prefix, mtu int) *link {
	own := address.Addr().As4()
	return &link{
		tap:      tap,
		pods:     address.Masked(),
		address:  address.Addr(),
		hardware: tcpip.LinkAddress(append([]byte{0x0a, 0x58}, own[:]...)),
		// gVisor counts the header of the frame as part of the MTU.
		mtu:       uint32(mtu - header.EthernetMinimumSize),
		frames:    sync.Pool{New: func() any { frame := make([]byte, mtu); return &frame }},
		neighbors: map[tcpip.Address]tcpip.LinkAddress{},
	}
}

// run hands the frames of the TAP device to the stack until the device fails.
func (l *link) run() error {
	// The device may give a frame that is longer than its MTU says.
	frame := make([]byte, header.EthernetMinimumSize+header.IPv4MaximumPayloadSize)
	for {
		size, err := l.tap.Read(frame)
		if err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		l.receive(frame[:size])
	}
}

func (l *link) receive(frame []byte) {
	if len(frame) < header.EthernetMinimumSize {
		return
	}
	ethernet, payload := header.Ethernet(frame), frame[header.EthernetMinimumSize:]
	switch ethernet.Type() {
	case header.ARPProtocolNumber:
		if reply, ok := l.answerARP(payload); ok {
			// A frame that can not be written is lost, as on any link.
			_ = l.writeFrame(reply)
		}
	case header.IPv4ProtocolNumber:
		// A bridge floods frames for addresses that it does not know: most are not ours.
		if ethernet.DestinationAddress() == l.hardware {
			l.deliver(ethernet.SourceAddress(), payload)
		}
	}
}

// deliver hands an IP packet of a pod to the stack.
func (l *link) deliver(from tcpip.LinkAddress, payload []byte) {
	if len(payload) < header.IPv4MinimumSize {
		return
	}
	source := header.IPv4(payload).SourceAddress()
	client := netip.AddrFrom4(source.As4())
	if !l.pods.Contains(client) || client == l.address {
		return
	}
	dispatcher := l.learn(source, from)
	if dispatcher == nil {
		return
	}
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(payload)})
	defer packet.DecRef()
	dispatcher.DeliverNetworkPacket(header.IPv4ProtocolNumber, packet)
}

// learn keeps where a pod's packets come from. The table is bounded by the pods' range.
func (l *link) learn(pod tcpip.Address, hardware tcpip.LinkAddress) stack.NetworkDispatcher {
	l.mu.RLock()
	known, dispatcher := l.neighbors[pod] == hardware, l.dispatcher
	l.mu.RUnlock()
	if !known {
		l.mu.Lock()
		l.neighbors[pod] = hardware
		l.mu.Unlock()
	}
	return dispatcher
}

// WritePackets sends IP packets of the stack to pods. A packet to a pod that has never
// sent one is dropped.
func (l *link) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	written := 0
	for _, packet := range packets.AsSlice() {
		network := header.IPv4(packet.NetworkHeader().Slice())
		if len(network) < header.IPv4MinimumSize {
			continue
		}
		l.mu.RLock()
		pod, known := l.neighbors[network.DestinationAddress()]
		l.mu.RUnlock()
		if !known {
			continue
		}
		if err := l.writePacket(pod, packet); err != nil {
			return written, &tcpip.ErrClosedForSend{}
		}
		written++
	}
	return written, nil
}

func (l *link) writePacket(pod tcpip.LinkAddress, packet *stack.PacketBuffer) error {
	pooled := l.frames.Get().(*[]byte)
	defer l.frames.Put(pooled)
	frame := (*pooled)[:header.EthernetMinimumSize]
	header.Ethernet(frame).Encode(&header.EthernetFields{
		SrcAddr: l.hardware, DstAddr: pod, Type: header.IPv4ProtocolNumber,
	})
	for _, part := range packet.AsSlices() {
		frame = append(frame, part...)
	}
	return l.writeFrame(frame)
}

func (l *link) writeFrame(frame []byte) error {
	if _, err := l.tap.Write(frame); err != nil {
		return fmt.Errorf("write a frame: %w", err)
	}
	return nil
}

// MTU is the size of the largest IP packet, in bytes.
func (l *link) MTU() uint32 { return l.mtu }

// SetMTU does nothing: the MTU is the bridge's.
func (l *link) SetMTU(uint32) {}

// MaxHeaderLength is 0: the stack makes IP packets.
func (l *link) MaxHeaderLength() uint16 { return 0 }

// LinkAddress is empty: the stack makes IP packets.
func (l *link) LinkAddress() tcpip.LinkAddress { return "" }

// SetLinkAddress does nothing: the address follows from the gateway's.
func (l *link) SetLinkAddress(tcpip.LinkAddress) {}

// Capabilities says that checksums of received packets are not checked: they come from
// this machine's memory, and gVisor's veth links leave them out.
func (l *link) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// GSOMaxSize is how much the stack's TCP hands down at once, in bytes.
func (l *link) GSOMaxSize() uint32 { return stack.GVisorGSOMaxSize }

// SupportedGSO lets the stack's TCP work on large segments, which it splits at last.
func (l *link) SupportedGSO() stack.SupportedGSO { return stack.GVisorGSOSupported }

// Attach takes what packets are delivered to; nil: nothing any more.
func (l *link) Attach(dispatcher stack.NetworkDispatcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dispatcher = dispatcher
}

// IsAttached says whether packets are delivered.
func (l *link) IsAttached() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.dispatcher != nil
}

// Wait does nothing: Run's caller waits for it.
func (l *link) Wait() {}

// ARPHardwareType is none: the stack makes IP packets.
func (l *link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }

// AddHeader does nothing: WritePackets does it.
func (l *link) AddHeader(*stack.PacketBuffer) {}

// ParseHeader does nothing: receive does it.
func (l *link) ParseHeader(*stack.PacketBuffer) bool { return true }

// Close does nothing: the device is the Gateway's.
func (l *link) Close() {}

// SetOnCloseAction does nothing: the device is the Gateway's.
func (l *link) SetOnCloseAction(func()) {}
