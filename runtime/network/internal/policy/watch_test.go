package policy

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// patience bounds how long a test waits for what must come.
const patience = 20 * time.Second

func TestWatchFollowsTheCluster(t *testing.T) {
	pod := newPod("x", "a", "10.42.0.10")
	client := fake.NewClientset(pod, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "x"}})
	ctx, cancel := context.WithCancel(t.Context())
	changes := make(chan *Rules, 100)
	synced := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- Watch(ctx, client, testNode, func(rules *Rules) { changes <- rules }, func() { synced <- struct{}{} })
	}()
	select {
	case <-synced:
	case <-time.After(patience):
		t.Fatal("not synced")
	}
	if first := <-changes; len(first.Selected()) != 0 {
		t.Errorf("%v is selected without a policy", first.Selected())
	}
	for _, action := range client.Actions() {
		if action.GetResource().Resource == "pods" {
			t.Error("pods are watched though there is no policy")
		}
	}
	await := func(what string, done func(*Rules) bool) {
		t.Helper()
		limit := time.After(patience)
		for {
			select {
			case rules := <-changes:
				if done(rules) {
					return
				}
			case <-limit:
				t.Fatalf("%s: no such rules", what)
			}
		}
	}
	address := netip.MustParseAddr("10.42.0.10")
	selects := func(want bool) func(*Rules) bool {
		return func(rules *Rules) bool { _, selected := rules.Selected()[address]; return selected == want }
	}

	policy := policies(t, `{podSelector: {matchLabels: {pod: a}}}`)[0]
	if _, err := client.NetworkingV1().NetworkPolicies("x").Create(ctx, policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await("policy is made", selects(true))
	changed := pod.DeepCopy()
	changed.Labels = map[string]string{"pod": "other"}
	if _, err := client.CoreV1().Pods("x").Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await("pod has other labels", selects(false))
	if _, err := client.CoreV1().Pods("x").Update(ctx, pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await("pod has its labels again", selects(true))
	if err := client.NetworkingV1().NetworkPolicies("x").Delete(ctx, policy.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await("policy is deleted", selects(false))

	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func TestOnlyWhatMattersIsAChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(*v1.Pod)
		same   bool
	}{
		{"nothing", func(*v1.Pod) {}, true},
		{"a condition", func(pod *v1.Pod) {
			pod.ResourceVersion = "2"
			pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady}}
		}, true},
		{"an annotation", func(pod *v1.Pod) { pod.Annotations = map[string]string{"a": "b"} }, true},
		{"the address", func(pod *v1.Pod) { pod.Status.PodIP = "10.42.0.99" }, false},
		{"the phase", func(pod *v1.Pod) { pod.Status.Phase = v1.PodFailed }, false},
		{"a label", func(pod *v1.Pod) { pod.Labels = map[string]string{"pod": "b"} }, false},
		{"the deletion", func(pod *v1.Pod) { pod.DeletionTimestamp = &metav1.Time{} }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := newPod("x", "a", "10.42.0.10")
			after := before.DeepCopy()
			test.change(after)
			strippedBefore, err := strip(before)
			if err != nil {
				t.Fatal(err)
			}
			strippedAfter, err := strip(after)
			if err != nil {
				t.Fatal(err)
			}
			if got := same(strippedBefore, strippedAfter); got != test.same {
				t.Errorf("same: %t, want %t", got, test.same)
			}
		})
	}
}

func TestStripKeepsWhatRulesAreBuiltFrom(t *testing.T) {
	pods, namespaces := world()
	given := policies(t, `{podSelector: {}, ingress: [{ports: [{port: serve-80-tcp}], from: [{podSelector: {matchLabels: {pod: b}}}]}]}`)
	pods[0].Spec.HostNetwork = true
	var stripped []*v1.Pod
	for _, pod := range pods {
		kept, err := strip(pod)
		if err != nil {
			t.Fatal(err)
		}
		stripped = append(stripped, kept.(*v1.Pod))
	}
	whole, less := Build(given, pods, namespaces, testNode), Build(given, stripped, namespaces, testNode)
	for _, p := range probes(pods) {
		flow := Flow{Source: addressOf(pods, p.from), Destination: addressOf(pods, p.to), Protocol: p.protocol, Port: p.port}
		if whole.Allows(flow) != less.Allows(flow) {
			t.Errorf("%s -> %s %s/%d differs", p.from, p.to, p.protocol, p.port)
		}
	}
}
