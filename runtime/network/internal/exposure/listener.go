package exposure

import (
	"net"
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/forward"
	"sandkube.dev/runtime/network/internal/services"
)

// listener is an open socket and what stands behind it.
type listener struct {
	port  *forward.ServicePort
	close func() error
	// behind is the wish's.
	behind netip.AddrPort
}

// atNode takes each client for one from outside of the node whose address it has come to.
func (e *Exposure) atNode(client forward.Client) services.Origin {
	from := services.Origin{External: true}
	if e.config.NodeAt != nil {
		from.Node = e.config.NodeAt(client.At)
	}
	return from
}

func (e *Exposure) listen(at socket, wished wish) (*listener, error) {
	origin := e.config.Origin
	if wished.isHostPort {
		origin = e.atNode
	}
	backends := forward.NewServicePort(wished.port, e.config.Balancer, e.config.Allow, origin)
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
