package hostports

import (
	"net/netip"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"sandkube.dev/runtime/network/internal/exposure"
	"sandkube.dev/runtime/network/internal/nodepods"
)

func pod(change func(*v1.Pod)) *v1.Pod {
	made := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "uid"},
		Spec: v1.PodSpec{Containers: []v1.Container{{Ports: []v1.ContainerPort{
			{ContainerPort: 8080, HostPort: 80, Protocol: v1.ProtocolTCP},
			{ContainerPort: 53, HostPort: 53, HostIP: "127.0.0.1", Protocol: v1.ProtocolUDP},
			{ContainerPort: 9090, Protocol: v1.ProtocolTCP},
		}}}},
		Status: v1.PodStatus{Phase: v1.PodRunning, PodIP: "10.42.0.7"},
	}
	change(made)
	return made
}

func TestHostPortsOf(t *testing.T) {
	const both = "TCP 0.0.0.0:80 10.42.0.7:8080, UDP 127.0.0.1:53 10.42.0.7:53"
	for name, test := range map[string]struct {
		change func(*v1.Pod)
		want   string
	}{
		"two ports":             {func(*v1.Pod) {}, both},
		"not started":           {func(p *v1.Pod) { p.Status.PodIP = "" }, ""},
		"ended":                 {func(p *v1.Pod) { p.Status.Phase = v1.PodSucceeded }, ""},
		"on the host's network": {func(p *v1.Pod) { p.Spec.HostNetwork = true }, ""},
		"SCTP":                  {func(p *v1.Pod) { p.Spec.Containers[0].Ports[0].Protocol = v1.ProtocolSCTP }, "UDP 127.0.0.1:53 10.42.0.7:53"},
		"at an IPv6 address":    {func(p *v1.Pod) { p.Spec.Containers[0].Ports[1].HostIP = "::1" }, "TCP 0.0.0.0:80 10.42.0.7:8080"},
		"of a container that ends": {func(p *v1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, nil
		}, ""},
		"of a sidecar": {func(p *v1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, nil
			p.Spec.InitContainers[0].RestartPolicy = ptr.To(v1.ContainerRestartPolicyAlways)
		}, both},
	} {
		t.Run(name, func(t *testing.T) {
			stripped, err := nodepods.Strip(pod(test.change))
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for i, port := range hostPortsOf(stripped.(*v1.Pod)) {
				if i > 0 {
					got += ", "
				}
				got += string(port.Protocol) + " " + port.At.String() + " " + port.Target.String()
				if port.Pod.Name != "web" || port.Pod.UID != "uid" {
					t.Errorf("it is of %+v", port.Pod)
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWatchTellsWhatChanges(t *testing.T) {
	client := fake.NewClientset()
	changes := make(chan []exposure.HostPort)
	go func() { _ = Watch(t.Context(), client, func(ports []exposure.HostPort) { changes <- ports }) }()
	pods := client.CoreV1().Pods("default")
	if _, err := pods.Create(t.Context(), pod(func(*v1.Pod) {}), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	want := netip.MustParseAddrPort("0.0.0.0:80")
	if got := <-changes; !slices.ContainsFunc(got, func(port exposure.HostPort) bool { return port.At == want }) {
		t.Errorf("after a pod has come: %+v", got)
	}
	if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-changes; len(got) != 0 {
		t.Errorf("after it has gone: %+v", got)
	}
}
