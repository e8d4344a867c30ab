package gateway

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// answerARP returns the frame that answers a request for the gateway's address (RFC 826).
func (l *link) answerARP(payload []byte) (frame []byte, ok bool) {
	request := header.ARP(payload)
	if !request.IsValid() || request.Op() != header.ARPRequest {
		return nil, false
	}
	if target, _ := netip.AddrFromSlice(request.ProtocolAddressTarget()); target != l.address {
		return nil, false
	}
	frame = make([]byte, header.EthernetMinimumSize+header.ARPSize)
	header.Ethernet(frame).Encode(&header.EthernetFields{
		SrcAddr: l.hardware,
		DstAddr: tcpip.LinkAddress(request.HardwareAddressSender()),
		Type:    header.ARPProtocolNumber,
	})
	reply := header.ARP(frame[header.EthernetMinimumSize:])
	reply.SetIPv4OverEthernet()
	reply.SetOp(header.ARPReply)
	copy(reply.HardwareAddressSender(), l.hardware)
	copy(reply.ProtocolAddressSender(), request.ProtocolAddressTarget())
	copy(reply.HardwareAddressTarget(), request.HardwareAddressSender())
	copy(reply.ProtocolAddressTarget(), request.ProtocolAddressSender())
	return frame, true
}
