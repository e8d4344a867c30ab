package supervise

import (
	"strings"
	"testing"
	"time"
)

// Traces are as the Go runtime and klog of Kubernetes 1.36 write them, cut short.
const (
	kubeletPanic = `I1123 10:00:00.000001      12 kubelet.go:2400] "SyncLoop ADD" source="api"
E1123 10:00:00.100000      12 panic.go:262] "Observed a panic" panic="runtime error: invalid memory address or nil pointer dereference"
panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]
[signal SIGSEGV: segmentation violation code=0x1 addr=0x10 pc=0x2f1c3a5]

goroutine 812 [running]:
k8s.io/apimachinery/pkg/util/runtime.handleCrash({0x5a3e2d0, 0x86f1ac0}, {0x4a0a2c0, 0x85a0d30}, {0x0, 0x0, 0x0})
	k8s.io/apimachinery@v0.36.4/pkg/util/runtime/runtime.go:114 +0x1ad
panic({0x4a0a2c0?, 0x85a0d30?})
	runtime/panic.go:859 +0x132
k8s.io/kubernetes/pkg/kubelet/kuberuntime.(*kubeGenericRuntimeManager).doPodResizeAction(0xc000a3c008, {0x5a3e308, 0xc0012a8000}, 0xc001088f08)
	k8s.io/kubernetes@v1.36.4/pkg/kubelet/kuberuntime/kuberuntime_manager.go:801 +0x485
created by k8s.io/kubernetes/pkg/kubelet.(*podWorkers).UpdatePod in goroutine 401
	k8s.io/kubernetes@v1.36.4/pkg/kubelet/pod_workers.go:980 +0x9f2`

	apiServerPanic = `panic: close of closed channel

goroutine 1 [running]:
k8s.io/apiserver/pkg/server.(*lifecycleSignal).Signal(...)
	k8s.io/apiserver@v0.36.4/pkg/server/lifecycle_signals.go:55
sandkube.dev/runtime/internal/components/apiserver.Run({0x5a3e308, 0xc0001}, 0xc0002, 0xc0003, 0xc0004)
	sandkube.dev/runtime/internal/components/apiserver/apiserver.go:79 +0x1f`

	authenticatorPanic = `panic: assignment to entry in nil map

goroutine 77 [running]:
k8s.io/apiserver/pkg/authentication/request/x509.(*Authenticator).AuthenticateRequest(0xc00)
	k8s.io/apiserver@v0.36.4/pkg/authentication/request/x509/x509.go:148 +0x1
k8s.io/kubernetes/pkg/kubelet/server.(*Server).InstallAuthFilter.func1(0xc00)
	k8s.io/kubernetes@v1.36.4/pkg/kubelet/server/server.go:295 +0x1`

	etcdPanic = `panic: freepages: failed to get all reachable pages (page 1234: multiple references)

goroutine 98 [running]:
go.etcd.io/bbolt/internal/common.Assert(...)
	go.etcd.io/bbolt@v1.4.3/internal/common/verify.go:65
created by go.etcd.io/etcd/server/v3/embed.StartEtcd in goroutine 1
	go.etcd.io/etcd/server/v3@v3.6.8/embed/etcd.go:250 +0x1`

	schedulerCreated = `panic: boom

goroutine 5 [running]:
main.helper()
	/tmp/main.go:5 +0x1
created by k8s.io/kubernetes/pkg/scheduler.(*Scheduler).Run in goroutine 9
	k8s.io/kubernetes@v1.36.4/pkg/scheduler/scheduler.go:480 +0x1`

	otherGoroutine = `fatal error: concurrent map writes

goroutine 5 [running]:
example.com/library.Write()
	/library.go:5 +0x1

goroutine 6 [chan receive]:
k8s.io/kubernetes/pkg/kubelet.(*Kubelet).syncLoop(0xc00)
	k8s.io/kubernetes@v1.36.4/pkg/kubelet/kubelet.go:2500 +0x1`

	klogFatal = `F1123 10:00:00.123456      12 garbagecollector.go:130] "Unable to sync" err="no route"
goroutine 130 [running]:
k8s.io/klog/v2/internal/dbg.Stacks(0x0)
	k8s.io/klog/v2@v2.140.0/internal/dbg/dbg.go:35 +0x8a
k8s.io/kubernetes/pkg/controller/garbagecollector.(*GarbageCollector).Run(0xc00)
	k8s.io/kubernetes@v1.36.4/pkg/controller/garbagecollector/garbagecollector.go:130 +0x2d`

	containerdPanic = `time="2026-11-23T10:00:00Z" level=info msg="containerd successfully booted in 0.1s"
panic: send on closed channel

goroutine 44 [running]:
github.com/containerd/containerd/v2/internal/cri/server/events.(*EventMonitor).Start.func1()
	github.com/containerd/containerd/v2@v2.2.1/internal/cri/server/events/events.go:101 +0x1`
)

func TestFindCause(t *testing.T) {
	tests := []struct {
		name   string
		output string
		want   Cause
	}{
		{"nothing", "", Cause{}},
		{"kubelet panic that was raised again", kubeletPanic, Cause{"kubelet", "panic: runtime error: invalid memory address or nil pointer dereference"}},
		{"library of the API server, called by it", apiServerPanic, Cause{"kube-apiserver", "panic: close of closed channel"}},
		{"library of the API server, called by the kubelet", authenticatorPanic, Cause{"kubelet", "panic: assignment to entry in nil map"}},
		{"etcd's storage", etcdPanic, Cause{"datastore", "panic: freepages: failed to get all reachable pages (page 1234: multiple references)"}},
		{"only who started the goroutine is known", schedulerCreated, Cause{"kube-scheduler", "panic: boom"}},
		{"the component of another goroutine is not named", otherGoroutine, Cause{"", "fatal error: concurrent map writes"}},
		{"klog fatal", klogFatal, Cause{"kube-controller-manager", `"Unable to sync" err="no route"`}},
		{"containerd", containerdPanic, Cause{"containerd", "panic: send on closed channel"}},
		{"no crash: last line", "first\nlast\n\n", Cause{"", "last"}},
		{"no crash: klog line", `E1123 10:00:00.100000      12 server.go:100] "Failed" err="x"`, Cause{"", `"Failed" err="x"`}},
		{"no crash: containerd line", `time="2026-11-23T10:00:00Z" level=fatal msg="failed to \"load\"" error="no such plugin" id=x`, Cause{"", `failed to "load": no such plugin`}},
		{"no crash: containerd line with one word", `time=x level=info msg=serving... address=/run/x`, Cause{"", "serving..."}},
		{"no crash: etcd line", `{"level":"fatal","ts":"2026-11-23T10:00:00Z","caller":"embed/etcd.go:1","msg":"discovery failed","error":"no peer"}`, Cause{"", "discovery failed: no peer"}},
		{"a word that is no crash", "panicking is not allowed", Cause{"", "panicking is not allowed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var kept tail
			for line := range strings.SplitSeq(test.output, "\n") {
				kept.add([]byte(line))
			}
			if got := findCause(kept.output()); got != test.want {
				t.Errorf("cause is %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTailKeepsALongTrace(t *testing.T) {
	var kept tail
	kept.add([]byte("panic: deep"))
	kept.add([]byte("goroutine 1 [running]:"))
	kept.add([]byte("k8s.io/kubernetes/pkg/kubelet.(*Kubelet).Run(0xc00)"))
	for range 300 {
		kept.add([]byte("\tsome.go:1"))
	}
	last, crash := kept.output()
	if len(last) != tailLines {
		t.Errorf("%d last lines are kept, want %d", len(last), tailLines)
	}
	if got := findCause(last, crash); got.Service != "kubelet" {
		t.Errorf("cause is %+v", got)
	}
}

func TestTailIsBounded(t *testing.T) {
	var kept tail
	kept.add([]byte("panic: endless"))
	for range 2 * crashLines {
		kept.add([]byte(strings.Repeat("x", 10_000)))
	}
	last, crash := kept.output()
	if len(last) > tailLines || len(crash) > crashLines || len(crash[1]) > maxTailLineBytes {
		t.Errorf("kept %d and %d lines, one of %d bytes", len(last), len(crash), len(crash[1]))
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	var got []string
	for _, run := range []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 59, 60, 0} {
		got = append(got, b.after(time.Duration(run)*time.Second).String())
	}
	want := "100ms 200ms 400ms 800ms 1.6s 3.2s 6.4s 10s 10s 10s 100ms 200ms"
	if strings.Join(got, " ") != want {
		t.Errorf("delays are %s, want %s", strings.Join(got, " "), want)
	}
}
