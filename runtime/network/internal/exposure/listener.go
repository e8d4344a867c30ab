package exposure

import (
	"net"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

// listener is an open socket and what stands behind it.
type listener struct {
	port  *forward.ServicePort
	close func() error
}

func (e *Exposure) listen(at socket, port *services.Port) (*listener, error) {
	backends := forward.NewServicePort(port, e.config.Balancer, e.config.Allow, e.config.External)
	if at.protocol == v1.ProtocolUDP {
		opened, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at.at))
		if err != nil {
			return nil, err
		}
		e.serving.Go(func() { e.forwarder.ServeUDP(e.running, opened, backends) })
		return &listener{port: backends, close: opened.Close}, nil
	}
	opened, err := forward.ListenTCP(e.running, at.at)
	if err != nil {
		return nil, err
	}
	e.serving.Go(func() { e.forwarder.ServeTCP(e.running, opened, backends) })
	return &listener{port: backends, close: opened.Close}, nil
}
