package cni

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"regexp"

	"github.com/containernetworking/cni/pkg/skel"

	"sandkube.dev/runtime/internal/ipam"
)

// attachment is one interface of one pod. The name of its link on the node follows
// from its identity alone, so that any later call finds what an earlier one, even a
// killed one, has left.
type attachment struct {
	owner ipam.Owner
	// hostLink is the end of the veth pair that is a port of the bridge.
	hostLink string
}

// linkNameDigits makes names of 15 bytes, the most that a link can have (IFNAMSIZ).
const linkNameDigits = 11

var hostLinkName = regexp.MustCompile(`^veth[0-9a-f]{11}$`)

func newAttachment(owner ipam.Owner) attachment {
	sum := sha256.Sum256([]byte(owner.ContainerID + "/" + owner.Interface))
	return attachment{owner: owner, hostLink: "veth" + hex.EncodeToString(sum[:])[:linkNameDigits]}
}

func attachmentOf(args *skel.CmdArgs) attachment {
	return newAttachment(ipam.Owner{ContainerID: args.ContainerID, Interface: args.IfName})
}

// HardwareAddress is the MAC address of the interface that has an IPv4 address. It
// follows from the address, so that neighbours which remember the pod that had the
// address before still send to the right place. 0a:58 is locally administered, and
// what other CNI plugins use too.
func HardwareAddress(address net.IP) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, address.To4()...)
}
