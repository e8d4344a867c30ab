package servicenamespace

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// insideVariable says that the process is in a network namespace made for the test.
	insideVariable = "SERVICENAMESPACE_TEST_INSIDE"
	// limit is far above what anything inside one machine takes.
	limit = time.Minute
)

var config = Config{
	Bridge: "sandkube-test", Link: "sandkube-svc", MTU: 1500,
	ServiceAddress: netip.MustParsePrefix("10.42.0.254/24"),
	ServiceRange:   netip.MustParsePrefix("10.43.0.0/16"),
	NodeAddress:    netip.MustParseAddr("10.42.0.1"),
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inNode runs a test in a process with a network namespace of its own, with a bridge.
func inNode(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(insideVariable) == "" {
		command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), insideVariable+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("in a network namespace of its own: %v\n%s", err, output)
		}
		return
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = config.Bridge
	attributes.MTU = config.MTU
	check(t, netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attributes}))
	bridge, err := netlink.LinkByName(config.Bridge)
	check(t, err)
	check(t, netlink.AddrAdd(bridge, &netlink.Addr{IPNet: network(netip.PrefixFrom(config.NodeAddress, 24))}))
	check(t, netlink.LinkSetUp(bridge))
	test(t)
}

// reach connects to a listener inside from the node.
func reach(t *testing.T, namespace *Namespace, at netip.AddrPort) {
	t.Helper()
	listener, err := namespace.ListenTCP(at)
	check(t, err)
	defer listener.Close()
	connection, err := net.DialTimeout("tcp4", at.String(), limit)
	if err != nil {
		t.Fatalf("from the node: %v", err)
	}
	check(t, connection.Close())
}

func hasLink(t *testing.T, name string) bool {
	t.Helper()
	links, err := netlink.LinkList()
	check(t, err)
	for _, link := range links {
		if link.Attrs().Name == name {
			return true
		}
	}
	return false
}

func TestAddressesComeAndGo(t *testing.T) {
	inNode(t, func(t *testing.T) {
		namespace, err := Open(config)
		check(t, err)
		at := netip.MustParseAddrPort("10.43.0.10:80")
		for range 2 {
			for range 2 {
				check(t, namespace.AddAddress(at.Addr()))
			}
			reach(t, namespace, at)
			for range 2 {
				check(t, namespace.RemoveAddress(at.Addr()))
			}
			if _, err := namespace.ListenTCP(at); !errors.Is(err, unix.EADDRNOTAVAIL) {
				t.Errorf("listen at an address that is removed: %v", err)
			}
		}
		check(t, namespace.Close())
	})
}

func TestWhatAKilledProcessLeavesIsReplaced(t *testing.T) {
	inNode(t, func(t *testing.T) {
		// All that Close would remove is still there when the second one opens.
		left, err := Open(config)
		check(t, err)
		namespace, err := Open(config)
		check(t, err)
		at := netip.MustParseAddrPort("10.43.0.10:80")
		check(t, namespace.AddAddress(at.Addr()))
		reach(t, namespace, at)
		check(t, errors.Join(namespace.Close(), left.Close()))
	})
}

func TestCloseLeavesNoLinkAndTakesNoMoreWork(t *testing.T) {
	inNode(t, func(t *testing.T) {
		namespace, err := Open(config)
		check(t, err)
		if !hasLink(t, config.Link) {
			t.Errorf("there is no link %s", config.Link)
		}
		check(t, namespace.Close())
		check(t, namespace.Close())
		if hasLink(t, config.Link) {
			t.Errorf("the link %s is left", config.Link)
		}
		if err := namespace.Do(func() error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("work after Close: %v", err)
		}
		// It must not go to the node's own links.
		if err := namespace.AddAddress(netip.MustParseAddr("10.43.0.10")); !errors.Is(err, ErrClosed) {
			t.Errorf("an address after Close: %v", err)
		}
	})
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	inNode(t, func(t *testing.T) {
		without := config
		without.Bridge = "missing"
		_, err := Open(without)
		if want := "look up bridge missing: Link not found"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
}
