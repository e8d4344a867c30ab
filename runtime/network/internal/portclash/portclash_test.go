package portclash

import (
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
)

// newPod is a pod that is older the lower its age in the order is.
func newPod(name string, order int, ports ...v1.ContainerPort) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID(name),
			CreationTimestamp: metav1.NewTime(time.Unix(int64(order), 0)),
		},
		Spec:   v1.PodSpec{Containers: []v1.Container{{Ports: ports}}},
		Status: v1.PodStatus{Phase: v1.PodRunning},
	}
}

func tcp(port int32) v1.ContainerPort {
	return v1.ContainerPort{ContainerPort: port, Protocol: v1.ProtocolTCP}
}

func udp(port int32) v1.ContainerPort {
	return v1.ContainerPort{ContainerPort: port, Protocol: v1.ProtocolUDP}
}

func TestFind(t *testing.T) {
	ended := newPod("ended", 1, tcp(80))
	ended.Status.Phase = v1.PodSucceeded
	prepared := newPod("prepared", 1)
	prepared.Spec.InitContainers = []v1.Container{{Ports: []v1.ContainerPort{tcp(80)}}}
	sidecar := newPod("sidecar", 1)
	sidecar.Spec.InitContainers = []v1.Container{{Ports: []v1.ContainerPort{tcp(80)}, RestartPolicy: ptr.To(v1.ContainerRestartPolicyAlways)}}
	for name, test := range map[string]struct {
		pods []*v1.Pod
		// want are the younger pod, port and owner of each clash.
		want []string
	}{
		"none":                       {nil, nil},
		"ports of their own":         {[]*v1.Pod{newPod("a", 1, tcp(80)), newPod("b", 2, tcp(81))}, nil},
		"one number, two protocols":  {[]*v1.Pod{newPod("a", 1, tcp(53)), newPod("b", 2, udp(53))}, nil},
		"the younger one is told":    {[]*v1.Pod{newPod("a", 2, tcp(80)), newPod("b", 1, tcp(80))}, []string{"a TCP port 80 default/b"}},
		"each port of each pod":      {[]*v1.Pod{newPod("a", 1, tcp(80), udp(53)), newPod("b", 2, udp(53), tcp(80)), newPod("c", 3, tcp(80))}, []string{"b UDP port 53 default/a", "b TCP port 80 default/a", "c TCP port 80 default/a"}},
		"twice in one pod":           {[]*v1.Pod{newPod("a", 1, tcp(80), tcp(80))}, nil},
		"without a protocol":         {[]*v1.Pod{newPod("a", 1, v1.ContainerPort{ContainerPort: 80}), newPod("b", 2, tcp(80))}, []string{"b TCP port 80 default/a"}},
		"a pod that has ended":       {[]*v1.Pod{ended, newPod("b", 2, tcp(80))}, nil},
		"a container that ends":      {[]*v1.Pod{prepared, newPod("b", 2, tcp(80))}, nil},
		"a sidecar among containers": {[]*v1.Pod{sidecar, newPod("b", 2, tcp(80))}, []string{"b TCP port 80 default/sidecar"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := Sharing{}.Find(test.pods)
			if len(found) != len(test.want) {
				t.Fatalf("found %v, want %q", found, test.want)
			}
			for i, clash := range found {
				port, rest, _ := strings.Cut(clash.Message, " is pod ")
				owner, _, _ := strings.Cut(rest, "'s: ")
				if got := clash.Pod.Name + " " + port + " " + owner; got != test.want[i] || string(clash.Pod.UID) != clash.Pod.Name {
					t.Errorf("found %q of %+v, want %q", got, clash.Pod, test.want[i])
				}
			}
		})
	}
}

func TestFindAmongPodsWithHostNetwork(t *testing.T) {
	pods := []*v1.Pod{newPod("own", 1, tcp(80)), newPod("first", 2, tcp(80)), newPod("second", 3, tcp(80))}
	pods[1].Spec.HostNetwork, pods[2].Spec.HostNetwork = true, true
	found := Sharing{HostNetworkOnly: true, Why: "they share it"}.Find(pods)
	if len(found) != 1 || found[0].Pod.Name != "second" || !strings.Contains(found[0].Message, "default/first's: they share it") {
		t.Errorf("found %+v", found)
	}
}

func TestWatchReportsEachClashOnce(t *testing.T) {
	client := fake.NewClientset(newPod("a", 1, tcp(80)), newPod("b", 2, tcp(80)))
	reports := make(chan Clash, 10)
	go func() { _ = Watch(t.Context(), client, Sharing{}, func(clash Clash) { reports <- clash }) }()
	if got := <-reports; got.Pod.Name != "b" {
		t.Errorf("reported %+v, want b", got)
	}
	pods := client.CoreV1().Pods("default")
	if _, err := pods.Create(t.Context(), newPod("c", 3, tcp(80)), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-reports; got.Pod.Name != "c" {
		t.Errorf("reported %+v, want c alone", got)
	}
	// With its owner gone the port is b's.
	if err := pods.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-reports; got.Pod.Name != "c" || !strings.Contains(got.Message, "default/b") {
		t.Errorf("reported %+v, want c, as the port is b's", got)
	}
}
