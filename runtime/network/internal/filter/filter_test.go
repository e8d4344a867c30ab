package filter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"testing"
)

func TestAllowedPassesAndDeniedDoesNot(t *testing.T) {
	inNode(t, 4, func(t *testing.T, node *node) {
		filter := node.open(t)
		// pod-0 is reached by pod-1 only, pod-1 reaches pod-0 only; pod-2 and pod-3 are free.
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-0", "pod-1"), egress("pod-1", "pod-0"))))
		pods := node.pods
		for _, protocol := range []string{"tcp4", "udp4"} {
			node.reaches(t, protocol, pods[1], pods[0], true)
			node.reaches(t, protocol, pods[2], pods[0], false)
			node.reaches(t, protocol, pods[1], pods[2], false)
			node.reaches(t, protocol, pods[0], pods[2], true)
			node.reaches(t, protocol, pods[2], pods[1], true)
			node.reaches(t, protocol, pods[2], pods[3], true)
			node.reaches(t, protocol, nil, pods[0], true)
			node.reaches(t, protocol, nil, pods[1], true)
		}
		must(t, filter.Close(t.Context()))
		for _, protocol := range []string{"tcp4", "udp4"} {
			node.reaches(t, protocol, pods[2], pods[0], true)
			node.reaches(t, protocol, pods[1], pods[2], true)
		}
	})
}

func TestConnectionsOutliveFiltering(t *testing.T) {
	inNode(t, 2, func(t *testing.T, node *node) {
		filter := node.open(t)
		before := node.linkNames(t)
		client, server := node.pods[0], node.pods[1]
		connection, err := client.dial("tcp4", server, patience)
		must(t, err)
		must(t, connection.say("unfiltered", patience))
		for round := range 3 {
			must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"))))
			if filter.wiring.stuck {
				node.reaches(t, "tcp4", client, server, true)
				must(t, filter.Close(t.Context()))
				t.Skip("here a link that leaves its bridge is a new one, and takes the connections with it")
			}
			must(t, connection.say(fmt.Sprint("server is filtered ", round), patience))
			must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"), egress("pod-0", "pod-1"))))
			must(t, connection.say(fmt.Sprint("both are filtered ", round), patience))
			must(t, filter.Apply(t.Context(), node.rules()))
			must(t, connection.say(fmt.Sprint("unfiltered again ", round), patience))
			if after := node.linkNames(t); !maps.Equal(before, after) {
				t.Errorf("links %v, want %v", after, before)
			}
		}
		must(t, filter.Close(t.Context()))
	})
}

func TestChangedPolicyCutsConnections(t *testing.T) {
	inNode(t, 2, func(t *testing.T, node *node) {
		filter := node.open(t)
		client, server := node.pods[0], node.pods[1]
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"))))
		during, err := client.dial("tcp4", server, patience)
		must(t, err)
		must(t, during.say("allowed", patience))
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1"))))
		if err := during.say("denied", silence); err == nil {
			t.Error("the connection goes on after it is denied")
		}
		must(t, filter.Apply(t.Context(), node.rules()))
		before, err := client.dial("tcp4", server, patience)
		must(t, err)
		must(t, before.say("unfiltered", patience))
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1"))))
		if err := before.say("denied", silence); err == nil {
			t.Error("a connection that is older than the filter goes on after it is denied")
		}
		// The server may reach the client, which must not revive the connection.
		node.reaches(t, "tcp4", server, client, true)
		must(t, filter.Close(t.Context()))
	})
}

func TestPodsThatComeAndGo(t *testing.T) {
	inNode(t, 3, func(t *testing.T, node *node) {
		filter := node.open(t)
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1"))))
		gone := node.pods[1]
		must(t, filter.wiring.annex.remove(gone.link))
		close(gone.work)
		node.pods = append(node.pods[:1:1], node.pods[2])
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1"))))
		left, err := filter.wiring.annex.list()
		must(t, err)
		for _, link := range left {
			if link.Attrs().Name != "lo" {
				t.Errorf("%s of a pod that is gone is left", link.Attrs().Name)
			}
		}
		// Its address goes to another pod, which no policy selects.
		again := node.addPod(t, 1)
		again.name = "pod-again"
		node.pods = append(node.pods, again)
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1"), ingress("pod-2"))))
		node.reaches(t, "tcp4", node.pods[0], again, true)
		node.reaches(t, "tcp4", again, node.pods[1], false)
		must(t, filter.Close(t.Context()))
	})
}

func TestKilledFilterIsReplaced(t *testing.T) {
	inNode(t, 3, func(t *testing.T, node *node) {
		before := node.linkNames(t)
		client, filtered, freed := node.pods[0], node.pods[1], node.pods[2]
		process := exec.CommandContext(t.Context(), "/proc/self/exe")
		process.Env = append(os.Environ(), victimVariable+"="+node.directory, namespacesVariable+"="+node.namespaces)
		process.Stderr = os.Stderr
		output, err := process.StdoutPipe()
		must(t, err)
		must(t, process.Start())
		if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
			t.Fatalf("the filter does not start: %v", err)
		}
		connection, err := client.dial("tcp4", filtered, patience)
		must(t, err)
		must(t, connection.say("filtered", patience))
		must(t, process.Process.Kill())
		if err := process.Wait(); err == nil {
			t.Fatal("the filter was not killed")
		}
		node.reaches(t, "tcp4", client, filtered, false)

		filter := node.open(t)
		node.reaches(t, "tcp4", client, freed, false)
		must(t, filter.Apply(t.Context(), node.rules(ingress("pod-1", "pod-0"))))
		must(t, connection.say("filtered again", patience))
		node.reaches(t, "tcp4", client, filtered, true)
		node.reaches(t, "tcp4", freed, filtered, false)
		node.reaches(t, "tcp4", client, freed, true)
		must(t, filter.Close(t.Context()))
		node.reaches(t, "tcp4", freed, filtered, true)
		if after := node.linkNames(t); !maps.Equal(before, after) {
			t.Errorf("links %v, want %v", after, before)
		}
	})
}

// victim filters pod-1 and pod-2 until it is killed.
func victim(directory string) int {
	node := &node{directory: directory, namespaces: os.Getenv(namespacesVariable)}
	for i := range 3 {
		node.pods = append(node.pods, &pod{
			name: fmt.Sprintf("pod-%d", i), link: fmt.Sprintf("veth%011x", i+1),
			address: netip.AddrFrom4([4]byte{10, 42, 0, byte(i + 2)}),
		})
	}
	filter, err := Open(node.filterConfig())
	if err == nil {
		err = filter.Apply(context.Background(), node.rules(ingress("pod-1", "pod-0"), ingress("pod-2", "pod-0")))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, errors.Join(errors.New("victim"), err))
		return 1
	}
	fmt.Println("filtering")
	select {}
}
