package unenforced

import (
	"context"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func pod(name string, sysctls ...v1.Sysctl) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       v1.PodSpec{NodeName: "node-1", SecurityContext: &v1.PodSecurityContext{Sysctls: sysctls}},
	}
}

func TestMessage(t *testing.T) {
	got := messageFor(pod("a", v1.Sysctl{Name: "kernel.no_such_setting", Value: "1"}, v1.Sysctl{Name: "kernel.hostname", Value: "x"}))
	if !strings.Contains(got, "does not have kernel.no_such_setting:") {
		t.Errorf("message is %q", got)
	}
	for _, pod := range []*v1.Pod{pod("b"), pod("c", v1.Sysctl{Name: "kernel.hostname", Value: "x"}), {}} {
		if got := messageFor(pod); got != "" {
			t.Errorf("message for %s is %q", pod.Name, got)
		}
	}
}

func TestWhatTheKernelLacks(t *testing.T) {
	for setting, want := range map[string]bool{
		"kernel.hostname":        false,
		"kernel/hostname":        false,
		"kernel.no_such_setting": true,
		"kernel/no.such_setting": true,
		"no.such.directory":      true,
	} {
		if got := kernelLacks(setting); got != want {
			t.Errorf("the kernel lacks %s: %v, want %v", setting, got, want)
		}
	}
}

func TestEventForAPodWithASettingThatTheKernelLacks(t *testing.T) {
	client := fake.NewClientset(pod("plain"), pod("asking", v1.Sysctl{Name: "kernel.no_such_setting", Value: "1"}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, client, "node-1", func() {}) }()
	for {
		events, err := client.CoreV1().Events("default").List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(events.Items) > 0 {
			if event := events.Items[0]; event.InvolvedObject.Name != "asking" || event.Reason != reason {
				t.Errorf("event %s about %s", event.Reason, event.InvolvedObject.Name)
			}
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("no event came")
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
