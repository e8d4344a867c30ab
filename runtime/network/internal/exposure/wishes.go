package exposure

import (
	"fmt"
	"net/netip"
	"slices"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/services"
)

// collect turns what is to be exposed into one wish a socket, and tells which host
// ports another has already.
func collect(wanted Wanted, podAddress netip.Addr) (map[socket]wish, map[refusal]string) {
	wishes := make(map[socket]wish, len(wanted.Node)+len(wanted.HostPorts)+len(wanted.Cluster))
	for frontend, port := range wanted.Cluster {
		if len(port.Internal) == 0 {
			// Without a listener the kernel refuses at once.
			continue
		}
		at := socket{frontend.Protocol, frontend.Address}
		wishes[at] = wish{owner: serviceReference(port), port: port, behind: sharing(at, port.Internal, podAddress)}
	}
	for frontend, port := range wanted.Node {
		if len(port.External) == 0 {
			// Without a listener the kernel refuses at once.
			continue
		}
		at := socket{frontend.Protocol, netip.AddrPortFrom(netip.IPv4Unspecified(), frontend.Port)}
		if sharing(at, port.External, podAddress).IsValid() {
			// The endpoint listens there itself. A listener of ours could lead to itself.
			continue
		}
		wishes[at] = wish{owner: serviceReference(port), port: port}
	}
	clashes := map[refusal]string{}
	for _, hostPort := range wanted.HostPorts {
		at := socket{hostPort.Protocol, hostPort.At}
		if hostPort.Target == netip.AddrPortFrom(podAddress, at.at.Port()) {
			continue
		}
		other, taken := wishes[at]
		if taken && other.isHostPort && len(other.port.ExternalOn[hostPort.Node]) == 0 {
			addHostPort(other.port, hostPort)
			continue
		}
		if taken {
			clashes[refusal{at, hostPort.Pod}] = explain(at, fmt.Errorf("%s %s/%s has it", other.owner.Kind, other.owner.Namespace, other.owner.Name))
			continue
		}
		wishes[at] = wish{owner: hostPort.Pod, port: portOf(hostPort), isHostPort: true}
	}
	return wishes, clashes
}

// sharing returns where one of the endpoints listens that is in the sandbox's own network
// under the port number of a socket; nothing when there is none.
func sharing(at socket, endpoints []services.Endpoint, podAddress netip.Addr) netip.AddrPort {
	same := netip.AddrPortFrom(podAddress, at.at.Port())
	if podAddress.IsValid() && slices.Contains(endpoints, services.Endpoint{Address: same}) {
		return same
	}
	return netip.AddrPort{}
}

func serviceReference(port *services.Port) v1.ObjectReference {
	return v1.ObjectReference{
		APIVersion: v1.SchemeGroupVersion.String(), Kind: "Service",
		Namespace: port.Name.Service.Namespace, Name: port.Name.Service.Name,
	}
}

// portOf shows a host port as a Service with one endpoint.
func portOf(hostPort HostPort) *services.Port {
	port := &services.Port{ExternalOn: map[string][]services.Endpoint{}}
	port.Name.Protocol = hostPort.Protocol
	addHostPort(port, hostPort)
	return port
}

// addHostPort adds the same host port of another node's pod. At addresses of the sandbox
// that are no node's, each connection goes to one of the pods.
func addHostPort(port *services.Port, hostPort HostPort) {
	endpoint := services.Endpoint{Address: hostPort.Target}
	port.External = append(port.External, endpoint)
	port.ExternalOn[hostPort.Node] = []services.Endpoint{endpoint}
}
