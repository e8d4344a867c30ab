package probe

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// networkFacts are tried in a network namespace of their own. Links are not deleted
// again: they go with the namespace, and a deletion of each would make up most of the
// time that the probe takes on Linux.
func networkFacts() []fact {
	return []fact{
		{"network.bridge", tryBridge},
		{"network.veth", tryVeth},
		{"network.bridge-port", tryBridgePort},
		{"network.veth-into-namespace", tryVethIntoNamespace},
		{"network.raw-socket", tryRawSocket},
		{"network.tap-port", tryTapPort},
		{"network.iptables", tryIptables},
		procSysFact("net/ipv4/ip_unprivileged_port_start"),
		procSysFact("net/ipv4/ping_group_range"),
	}
}

// addBridge adds a bridge named after the trial that it is for.
func addBridge(trial string) (netlink.Link, error) {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = trial + "-br"
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}); err != nil {
		return nil, fmt.Errorf("add a bridge: %w", err)
	}
	link, err := netlink.LinkByName(attributes.Name)
	if err != nil {
		return nil, fmt.Errorf("find a bridge that was added: %w", err)
	}
	return link, nil
}

// addVeth adds a veth pair named after the trial that it is for.
func addVeth(trial string) (near, far netlink.Link, err error) {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = trial + "-near"
	farName := trial + "-far"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: farName}); err != nil {
		return nil, nil, fmt.Errorf("add a veth pair: %w", err)
	}
	if near, err = netlink.LinkByName(attributes.Name); err != nil {
		return nil, nil, fmt.Errorf("find an end of a veth pair that was added: %w", err)
	}
	if far, err = netlink.LinkByName(farName); err != nil {
		return nil, nil, fmt.Errorf("find the other end of a veth pair that was added: %w", err)
	}
	return near, far, nil
}

// addBridgePort adds a bridge and a veth pair, one end of which is a port of it.
func addBridgePort(trial string) (netlink.Link, error) {
	bridge, err := addBridge(trial)
	if err != nil {
		return nil, err
	}
	port, _, err := addVeth(trial)
	if err != nil {
		return nil, err
	}
	if err := netlink.LinkSetMaster(port, bridge); err != nil {
		return nil, fmt.Errorf("make a veth end a port of a bridge: %w", err)
	}
	if err := netlink.LinkSetUp(port); err != nil {
		return nil, fmt.Errorf("set a port of a bridge up: %w", err)
	}
	return port, nil
}

func tryBridge(*trial) Result {
	link, err := addBridge("bridge")
	if err != nil {
		return no(err, "make a bridge")
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(198, 18, 0, 1), Mask: net.CIDRMask(24, 32)}}
	if err := netlink.AddrAdd(link, address); err != nil {
		return no(err, "give a bridge an address")
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return no(err, "set a bridge up")
	}
	return yes("a bridge was added, given an address and set up")
}

func tryVeth(*trial) Result {
	if _, _, err := addVeth("veth"); err != nil {
		return no(err, "make a veth pair")
	}
	return yes("a veth pair was added")
}

func tryBridgePort(*trial) Result {
	if _, err := addBridgePort("port"); err != nil {
		return no(err, "make a port of a bridge")
	}
	return yes("a veth end was made a port of a bridge")
}

// tryVethIntoNamespace moves a veth end into another network namespace and sets it up
// there, as a CNI plugin does for each pod.
func tryVethIntoNamespace(*trial) Result {
	_, far, err := addVeth("moved")
	if err != nil {
		return no(err, "make a veth pair")
	}
	return onThread(func() Result { return moveIntoNewNamespace(far) })
}

// moveIntoNewNamespace takes the calling thread into a new network namespace and brings
// the link there. The netlink library opens its sockets in the thread's namespace.
func moveIntoNewNamespace(link netlink.Link) Result {
	outside, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return no(err, "open a netlink socket")
	}
	defer outside.Close()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return no(err, "unshare(CLONE_NEWNET)")
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return no(err, "open a network namespace")
	}
	defer namespace.Close()
	if err := outside.LinkSetNsFd(link, int(namespace.Fd())); err != nil {
		return no(err, "move a veth end into another network namespace")
	}
	moved, err := netlink.LinkByName(link.Attrs().Name)
	if err != nil {
		return no(err, "find a veth end that was moved into another network namespace")
	}
	if err := netlink.LinkSetUp(moved); err != nil {
		return no(err, "set up a veth end in another network namespace")
	}
	return yes("a veth end was moved into another network namespace")
}

func tryRawSocket(*trial) Result {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		return no(err, "socket(AF_INET, SOCK_RAW)")
	}
	unix.Close(fd)
	return yes("a raw socket was opened")
}

// tryTapPort makes a TAP device, which goes when its descriptor is closed, and plugs it
// into a bridge.
func tryTapPort(*trial) Result {
	bridge, err := addBridge("tap")
	if err != nil {
		return no(err, "make a bridge")
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return no(err, "open /dev/net/tun")
	}
	defer unix.Close(fd)
	const name = "tap-probe"
	request, err := unix.NewIfreq(name)
	if err != nil {
		return no(err, "name a TAP device")
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return no(err, "ioctl(TUNSETIFF)")
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return no(err, "find a TAP device that was made")
	}
	if err := netlink.LinkSetMaster(link, bridge); err != nil {
		return no(err, "make a TAP device a port of a bridge")
	}
	return yes("a TAP device was made a port of a bridge")
}

// iptablesInfo is struct ipt_getinfo of linux/netfilter_ipv4/ip_tables.h.
type iptablesInfo struct {
	name       [32]byte
	validHooks uint32
	hookEntry  [5]uint32
	underflow  [5]uint32
	numEntries uint32
	size       uint32
}

// tryIptables asks for the filter table as the legacy iptables program does. The newer
// one, over nftables, is of no use in gVisor (google/gvisor#11778).
func tryIptables(*trial) Result {
	const getInfo = 64 // IPT_SO_GET_INFO
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return no(err, "socket(AF_INET, SOCK_RAW, IPPROTO_RAW)")
	}
	defer unix.Close(fd)
	info := iptablesInfo{}
	copy(info.name[:], "filter")
	size := uint32(binary.Size(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_IP, getInfo,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	runtime.KeepAlive(&info)
	if errno != 0 {
		return no(errno, "getsockopt(IPT_SO_GET_INFO) for the filter table")
	}
	return yes("the filter table was read")
}
