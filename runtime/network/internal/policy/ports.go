package policy

import (
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ports is what a rule allows at the destination.
type ports struct {
	all    bool
	ranges []portRange
	named  []portName
}

type portRange struct {
	protocol    v1.Protocol
	first, last uint16
}

// portName is a port by the name that the destination's containers give it.
type portName struct {
	protocol v1.Protocol
	name     string
}

func (p *ports) match(flow Flow, destination *endpoint) bool {
	if p.all {
		return true
	}
	for _, allowed := range p.ranges {
		if allowed.protocol == flow.Protocol && allowed.first <= flow.Port && flow.Port <= allowed.last {
			return true
		}
	}
	if destination == nil {
		return false
	}
	for _, name := range p.named {
		if name.protocol != flow.Protocol {
			continue
		}
		for _, port := range destination.named[name] {
			if port == flow.Port {
				return true
			}
		}
	}
	return false
}

func compilePorts(list []networkingv1.NetworkPolicyPort) ports {
	if len(list) == 0 {
		return ports{all: true}
	}
	var compiled ports
	for _, port := range list {
		protocol := v1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		switch {
		case port.Port == nil:
			compiled.ranges = append(compiled.ranges, portRange{protocol: protocol, last: 65535})
		case port.Port.Type == intstr.String:
			compiled.named = append(compiled.named, portName{protocol: protocol, name: port.Port.StrVal})
		default:
			// The API server admits ports from 1 to 65535 only, and an endPort that is not
			// smaller than the port.
			first := uint16(port.Port.IntVal)
			last := first
			if port.EndPort != nil {
				last = uint16(*port.EndPort)
			}
			compiled.ranges = append(compiled.ranges, portRange{protocol: protocol, first: first, last: last})
		}
	}
	return compiled
}

// namedPorts returns the ports that a pod's containers give names to. Init containers
// count if they go on running beside the others (KEP-753).
func namedPorts(spec *v1.PodSpec) map[portName][]uint16 {
	var named map[portName][]uint16
	add := func(container *v1.Container) {
		for _, port := range container.Ports {
			if port.Name == "" {
				continue
			}
			if named == nil {
				named = map[portName][]uint16{}
			}
			protocol := port.Protocol
			if protocol == "" {
				protocol = v1.ProtocolTCP
			}
			name := portName{protocol: protocol, name: port.Name}
			named[name] = append(named[name], uint16(port.ContainerPort))
		}
	}
	for i := range spec.Containers {
		add(&spec.Containers[i])
	}
	for i := range spec.InitContainers {
		if policy := spec.InitContainers[i].RestartPolicy; policy != nil && *policy == v1.ContainerRestartPolicyAlways {
			add(&spec.InitContainers[i])
		}
	}
	return named
}
