package nodespec

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Validate reports every rule that the document breaks, joined into one error.
func (s *NodeSpec) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(s.APIVersion == APIVersion, "apiVersion is %q, this runtime reads %q", s.APIVersion, APIVersion)
	check(s.Kind == Kind, "kind is %q, want %q", s.Kind, Kind)
	check(clusterName.MatchString(s.Cluster.Name), "cluster.name %q is not a valid name", s.Cluster.Name)
	check(filepath.IsAbs(s.Cluster.Directory), "cluster.directory %q is not an absolute path", s.Cluster.Directory)
	check(filepath.IsAbs(s.Programs), "programs %q is not an absolute path", s.Programs)

	for name := range s.Egress.Environment {
		check(isVariable(name), "egress.environment: %q is not a variable's name", name)
	}

	c := s.ControlPlane
	check(isAddress(c.BindAddress), "controlPlane.bindAddress %q is not an IP address", c.BindAddress)
	check(isPort(c.Port), "controlPlane.port %d is not a port", c.Port)
	check(isAddress(c.AdvertiseAddress), "controlPlane.advertiseAddress %q is not an IP address", c.AdvertiseAddress)
	check(isRange(c.ServiceRange), "controlPlane.serviceRange %q is not a CIDR", c.ServiceRange)
	check(isRange(c.PodRange), "controlPlane.podRange %q is not a CIDR", c.PodRange)
	check((s.Node == nil) == (len(s.Nodes) == 0), "node and nodes: one is given without the other")
	if s.Node != nil {
		errs = append(errs, s.Node.validate(c.PodRange))
		check(s.Node.Network.Mode != NetworkHost || len(s.Nodes) == 1, "nodes has %d nodes, of which host-network mode has one", len(s.Nodes))
	}
	for i, node := range s.Nodes {
		errs = append(errs, node.validate(fmt.Sprintf("nodes[%d]", i)))
		for _, other := range s.Nodes[:i] {
			check(node.Name != other.Name && node.Address != other.Address && node.PodRange != other.PodRange && node.CgroupRoot != other.CgroupRoot,
				"nodes[%d] has a name, an address, a range or a cgroup of node %q", i, other.Name)
		}
	}
	return errors.Join(errs...)
}

func (n *Node) validate(field string) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(field+format, args...))
		}
	}
	check(n.Name != "", ".name is empty")
	check(isRange(n.PodRange), ".podRange %q is not a CIDR", n.PodRange)
	check(isAddress(n.Address), ".address %q is not an IP address", n.Address)
	check(filepath.IsAbs(n.CgroupRoot) && filepath.Clean(n.CgroupRoot) != "/", ".cgroupRoot %q is not a path below the root cgroup", n.CgroupRoot)
	return errors.Join(errs...)
}

func (n *NodeSettings) validate(podRange string) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(isPort(n.KubeletPort), "node.kubeletPort %d is not a port", n.KubeletPort)
	check(slices.Contains([]string{"overlayfs", "native"}, n.Containerd.Snapshotter), "node.containerd.snapshotter %q is neither overlayfs nor native", n.Containerd.Snapshotter)
	check(n.Containerd.SnapshotTmpfsBytes >= 0, "node.containerd.snapshotTmpfsBytes is negative")
	check(filepath.IsAbs(n.Images.Directory), "node.images.directory %q is not an absolute path", n.Images.Directory)
	for _, namespace := range n.OCI.DropNamespaces {
		check(namespace == "cgroup" || namespace == "pid", "node.oci.dropNamespaces: %q can not be dropped", namespace)
	}
	for name := range n.OCI.Environment {
		check(isVariable(name), "node.oci.environment: %q is not a variable's name", name)
	}
	check(n.OCI.CABundle == "" || filepath.IsAbs(n.OCI.CABundle), "node.oci.caBundle %q is not an absolute path", n.OCI.CABundle)
	for _, port := range n.Network.LoopbackPorts {
		check(isPort(port), "node.network.loopbackPorts: %d is not a port", port)
	}
	for name := range n.StandIns.Sysctls {
		check(filepath.IsLocal(name), "node.standIns.sysctls: %q is not a path below /proc/sys", name)
	}
	check(isAddress(n.Network.DNSAddress), "node.network.dnsAddress %q is not an IP address", n.Network.DNSAddress)
	switch n.Network.Mode {
	case NetworkHost:
		check(n.Network.Bridge == "" && n.Network.ServiceAddress == "" && n.Network.GatewayAddress == "", "node.network has a bridge, a serviceAddress or a gatewayAddress, which host-network mode has not")
	case NetworkBridge:
		// IFNAMSIZ of linux/if.h is 16, the final NUL included; other links' names start with this one.
		check(n.Network.Bridge != "" && len(n.Network.ServiceLink()) < 16, "node.network.bridge %q is not a link name of at most 11 characters", n.Network.Bridge)
		check(n.Network.MTU >= 576 && n.Network.MTU <= 65536, "node.network.mtu %d is not between 576 and 65536", n.Network.MTU)
		check(isInRange(n.Network.ServiceAddress, podRange), "node.network.serviceAddress %q is not in controlPlane.podRange", n.Network.ServiceAddress)
		check(n.Network.GatewayAddress == "" || isInRange(n.Network.GatewayAddress, podRange), "node.network.gatewayAddress %q is not in controlPlane.podRange", n.Network.GatewayAddress)
	default:
		check(false, "node.network.mode %q is neither %s nor %s", n.Network.Mode, NetworkBridge, NetworkHost)
	}
	return errors.Join(errs...)
}

func isInRange(address, cidr string) bool {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	prefix, err := netip.ParsePrefix(cidr)
	return err == nil && prefix.Contains(parsed)
}

func isVariable(name string) bool {
	return name != "" && !strings.ContainsAny(name, "=\x00")
}

func isAddress(value string) bool {
	_, err := netip.ParseAddr(value)
	return err == nil
}

func isRange(value string) bool {
	_, err := netip.ParsePrefix(value)
	return err == nil
}

func isPort(value int) bool {
	return value > 0 && value < 65536
}
