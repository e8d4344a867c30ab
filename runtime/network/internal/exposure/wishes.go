package exposure

import (
	"fmt"
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/services"
)

// collect turns what is to be exposed into one wish a socket, and tells which host
// ports another has already.
func collect(frontends map[services.NodeFrontend]*services.Port, hostPorts []HostPort) (map[socket]wish, map[refusal]string) {
	wishes := make(map[socket]wish, len(frontends)+len(hostPorts))
	for frontend, port := range frontends {
		if len(port.External) == 0 {
			// Without a listener the kernel refuses at once.
			continue
		}
		at := socket{frontend.Protocol, netip.AddrPortFrom(netip.IPv4Unspecified(), frontend.Port)}
		wishes[at] = wish{owner: serviceReference(port), port: port}
	}
	clashes := map[refusal]string{}
	for _, hostPort := range hostPorts {
		at := socket{hostPort.Protocol, hostPort.At}
		if other, taken := wishes[at]; taken {
			clashes[refusal{at, hostPort.Pod}] = explain(at, fmt.Errorf("%s %s/%s has it", other.owner.Kind, other.owner.Namespace, other.owner.Name))
			continue
		}
		wishes[at] = wish{owner: hostPort.Pod, port: portOf(hostPort)}
	}
	return wishes, clashes
}

func serviceReference(port *services.Port) v1.ObjectReference {
	return v1.ObjectReference{
		APIVersion: v1.SchemeGroupVersion.String(), Kind: "Service",
		Namespace: port.Name.Service.Namespace, Name: port.Name.Service.Name,
	}
}

// portOf shows a host port as a Service with one endpoint.
func portOf(hostPort HostPort) *services.Port {
	endpoint := []services.Endpoint{{Address: hostPort.Target}}
	port := &services.Port{Internal: endpoint, External: endpoint}
	port.Name.Protocol = hostPort.Protocol
	return port
}
