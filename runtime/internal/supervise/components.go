package supervise

import (
	"regexp"
	"strings"
)

// component maps packages to the service that they are part of.
type component struct {
	// path is the start of a function's full name in a stack trace.
	path    string
	service string
}

// own are packages that belong to one component alone; the first frame of one of
// them, from the point of the crash outwards, names it.
var own = []component{
	{"sandkube.dev/runtime/internal/components/apiserver", "kube-apiserver"},
	{"sandkube.dev/runtime/internal/components/controllermanager", "kube-controller-manager"},
	{"sandkube.dev/runtime/internal/components/scheduler", "kube-scheduler"},
	{"sandkube.dev/runtime/internal/components/", ""},
	{"sandkube.dev/runtime/internal/cadvisor", "kubelet"},
	{"k8s.io/kubernetes/cmd/kubelet", "kubelet"},
	{"k8s.io/kubernetes/pkg/kubelet", "kubelet"},
	{"k8s.io/kubernetes/pkg/volume", "kubelet"},
	{"k8s.io/mount-utils", "kubelet"},
	{"k8s.io/kubernetes/cmd/kube-controller-manager", "kube-controller-manager"},
	{"k8s.io/kubernetes/pkg/controller/", "kube-controller-manager"},
	{"k8s.io/kubernetes/cmd/kube-scheduler", "kube-scheduler"},
	{"k8s.io/kubernetes/pkg/scheduler", "kube-scheduler"},
	{"k8s.io/kubernetes/cmd/kube-apiserver", "kube-apiserver"},
	{"k8s.io/kubernetes/pkg/controlplane", "kube-apiserver"},
	{"k8s.io/kubernetes/pkg/kubeapiserver", "kube-apiserver"},
	{"k8s.io/kubernetes/pkg/registry/", "kube-apiserver"},
	{"k8s.io/kubernetes/plugin/pkg/admission", "kube-apiserver"},
	{"k8s.io/kube-aggregator", "kube-apiserver"},
	{"k8s.io/apiextensions-apiserver", "kube-apiserver"},
	{"go.etcd.io/etcd/server", "datastore"},
	{"go.etcd.io/bbolt", "datastore"},
	{"go.etcd.io/raft", "datastore"},
	{"github.com/containerd/containerd/v2/cmd/containerd", "containerd"},
	{"github.com/containerd/containerd/v2/internal/cri", "containerd"},
	{"github.com/containerd/containerd/v2/plugins/", "containerd"},
}

// shared are libraries that tell less: others use parts of them too.
var shared = []component{
	{"k8s.io/apiserver", "kube-apiserver"},
	{"go.etcd.io/etcd", "datastore"},
	{"github.com/containerd/containerd", "containerd"},
}

// frame matches the line of a stack trace that names a function, also the one that
// names who started the goroutine.
var frame = regexp.MustCompile(`^(?:created by )?([A-Za-z0-9_.-]+(?:/[^/\s(]+)*/?[^\s(]*)`)

// serviceOf names the component whose code a crash report's first goroutine ran.
func serviceOf(report []string) string {
	var names []string
	inTrace := false
	for _, line := range report {
		if strings.HasPrefix(line, "goroutine ") {
			if inTrace {
				break
			}
			inTrace = true
			continue
		}
		if inTrace && !strings.HasPrefix(line, "\t") {
			if match := frame.FindStringSubmatch(line); match != nil {
				names = append(names, match[1])
			}
		}
	}
	if service := firstMatch(names, own); service != "" {
		return service
	}
	return firstMatch(names, shared)
}

func firstMatch(names []string, components []component) string {
	for _, name := range names {
		for _, c := range components {
			rest, found := strings.CutPrefix(name, c.path)
			if !found {
				continue
			}
			if c.service != "" {
				return c.service
			}
			// The package's name is the service's.
			service, _, _ := strings.Cut(rest, ".")
			return service
		}
	}
	return ""
}
