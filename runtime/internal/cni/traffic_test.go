package cni

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// dialLimit is far above what a connection inside one machine takes.
const dialLimit = 20 * time.Second

const greeting = "hello"

// serve answers one connection in the pod, at a port that is returned.
func (p *pod) serve(t *testing.T) (port int) {
	t.Helper()
	err := p.do(func() error {
		listener, err := net.Listen("tcp4", "0.0.0.0:0")
		if err != nil {
			return err
		}
		port = listener.Addr().(*net.TCPAddr).Port
		go greetAll(listener)
		t.Cleanup(func() { _ = listener.Close() })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func greetAll(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(connection, greeting)
		_ = connection.Close()
	}
}

func greet(address netip.Addr, port int) error {
	connection, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", address, port), dialLimit)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(dialLimit)); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil || string(answer) != greeting {
		return fmt.Errorf("the answer is %q, %v", answer, err)
	}
	return nil
}

func TestPodsAndNodeReachEachOther(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		first, second := newPod(t), newPod(t)
		firstAddress, secondAddress := address(node.add(t, "first", first)), address(node.add(t, "second", second))
		firstPort, secondPort := first.serve(t), second.serve(t)
		onNode, err := net.Listen("tcp4", nodeAddress+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer onNode.Close()
		go greetAll(onNode)
		nodePort := onNode.Addr().(*net.TCPAddr).Port

		for name, attempt := range map[string]func() error{
			"node to first":   func() error { return greet(firstAddress, firstPort) },
			"node to second":  func() error { return greet(secondAddress, secondPort) },
			"first to second": func() error { return first.do(func() error { return greet(secondAddress, secondPort) }) },
			"second to first": func() error { return second.do(func() error { return greet(firstAddress, firstPort) }) },
			"first to node": func() error {
				return first.do(func() error { return greet(netip.MustParseAddr(nodeAddress), nodePort) })
			},
			"first to itself by lo": func() error {
				return first.do(func() error { return greet(netip.MustParseAddr("127.0.0.1"), firstPort) })
			},
		} {
			if err := attempt(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestAddressThatIsUsedAgainReachesItsNewPod covers what neighbours and the bridge
// remember of the pod that had the address before.
func TestAddressThatIsUsedAgainReachesItsNewPod(t *testing.T) {
	inNode(t, func(t *testing.T, node *node) {
		// Five addresses, four of which are kept: the fifth goes from pod to pod.
		node.podRange = "10.42.0.0/29"
		neighbour := newPod(t)
		node.add(t, "neighbour", neighbour)
		for _, other := range []string{"a", "b", "c"} {
			node.add(t, other, newPod(t))
		}
		var last netip.Addr
		for turn := range 3 {
			container := fmt.Sprint("turn", turn)
			pod := newPod(t)
			used := address(node.add(t, container, pod))
			if last.IsValid() && used != last {
				t.Fatalf("address %s, want %s again", used, last)
			}
			last = used
			port := pod.serve(t)
			if err := neighbour.do(func() error { return greet(used, port) }); err != nil {
				t.Errorf("turn %d, from another pod: %v", turn, err)
			}
			if err := greet(used, port); err != nil {
				t.Errorf("turn %d, from the node: %v", turn, err)
			}
			if _, err := node.call("DEL", container, pod.path, node.config("1.1.0", nil)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
