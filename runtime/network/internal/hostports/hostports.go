// Package hostports knows which ports of the sandbox the nodes' pods ask for.
package hostports

import (
	"net/netip"

	v1 "k8s.io/api/core/v1"

	"sandkube.dev/runtime/network/internal/exposure"
	"sandkube.dev/runtime/network/internal/nodepods"
)

// hostPortsOf are those of a pod that runs; a pod on the host's network has its ports
// already, and an ended one needs none.
func hostPortsOf(pod *v1.Pod) []exposure.HostPort {
	address, err := netip.ParseAddr(pod.Status.PodIP)
	ended := pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed
	if err != nil || ended || pod.Spec.HostNetwork {
		return nil
	}
	reference := v1.ObjectReference{
		Kind: "Pod", APIVersion: v1.SchemeGroupVersion.String(),
		Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
	}
	var found []exposure.HostPort
	for _, port := range nodepods.Ports(pod) {
		if port.HostPort == 0 || port.Protocol == v1.ProtocolSCTP {
			continue
		}
		host, err := netip.ParseAddr(port.HostIP)
		if err != nil {
			host = netip.IPv4Unspecified()
		}
		if !host.Is4() {
			continue
		}
		found = append(found, exposure.HostPort{
			Pod:      reference,
			Protocol: port.Protocol,
			At:       netip.AddrPortFrom(host, uint16(port.HostPort)),
			Target:   netip.AddrPortFrom(address, uint16(port.ContainerPort)),
			Node:     pod.Spec.NodeName,
		})
	}
	return found
}
