package filter

import (
	"maps"
	"testing"
)

// TestLinkLeftHalfway has a process killed when the pod's link was a port of no bridge.
func TestLinkLeftHalfway(t *testing.T) {
	for name, selected := range map[string]bool{"selected": true, "not selected any more": false} {
		t.Run(name, func(t *testing.T) {
			inNode(t, 3, func(t *testing.T, node *node) {
				before := node.linkNames(t)
				client, halfway, other := node.pods[0], node.pods[1], node.pods[2]
				leaveHalfway(t, node.open(t), halfway)
				node.reaches(t, "tcp4", client, halfway, false)

				filter := node.open(t)
				rules := node.rules()
				if selected {
					rules = node.rules(ingress("pod-1", "pod-0"))
				}
				must(t, filter.Apply(t.Context(), rules))
				node.reaches(t, "tcp4", client, halfway, true)
				node.reaches(t, "tcp4", other, halfway, !selected)
				must(t, filter.Close(t.Context()))
				if after := node.linkNames(t); !maps.Equal(before, after) {
					t.Errorf("links %v, want %v", after, before)
				}
			})
		})
	}
}

// leaveHalfway does what putting a pod in does up to its middle.
func leaveHalfway(t *testing.T, killed *Filter, pod *pod) {
	t.Helper()
	killed.stop()
	wiring, err := openWiring(killed.node, &killed.config)
	must(t, err)
	_, err = wiring.annex.addBridge(wiring.names.bridge(pod.link), mtu)
	must(t, err)
	link, err := wiring.node.link(pod.link)
	must(t, err)
	if wiring.stuck {
		_, err := wiring.note(pod.link, pod.address)
		must(t, err)
		must(t, wiring.node.remove(pod.link))
	} else {
		must(t, wiring.node.links.LinkSetNsFd(link, int(wiring.annex.descriptor)))
	}
	must(t, wiring.annex.close())
}
