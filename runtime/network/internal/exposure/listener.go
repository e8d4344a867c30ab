package exposure

import (
	"net"
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
)

// listener is an open socket and what stands behind it.
type listener struct {
	port  *forward.ServicePort
	close func() error
	// behind is the wish's.
	behind netip.AddrPort
}

func (e *Exposure) listen(at socket, wished wish) (*listener, error) {
	backends := forward.NewServicePort(wished.port, e.config.Balancer, e.config.Allow, e.config.External)
	if at.protocol == v1.ProtocolUDP {
		opened, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at.at))
		if err != nil {
			return nil, err
		}
		e.serving.Go(func() { e.forwarder.ServeUDP(e.running, opened, backends) })
		return &listener{port: backends, close: opened.Close, behind: wished.behind}, nil
	}
	opened, err := forward.ListenTCP(e.running, at.at)
	if err != nil {
		return nil, err
	}
	e.serving.Go(func() { e.forwarder.ServeTCP(e.running, opened, backends) })
	return &listener{port: backends, close: opened.Close, behind: wished.behind}, nil
}
