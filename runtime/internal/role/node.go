package role

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/kubernetes"
	logsapi "k8s.io/component-base/logs/api/v1"

	"sandkube.dev/runtime/internal/components/containers"
	"sandkube.dev/runtime/internal/components/imagedirectory"
	"sandkube.dev/runtime/internal/components/kubelet"
	"sandkube.dev/runtime/internal/components/storage"
	"sandkube.dev/runtime/internal/components/unenforced"
	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
	"sandkube.dev/runtime/internal/service"
)

// apiServer is the service that waits for the API server of the other role.
const apiServer = "api-server-reachable"

// Node runs the kubelet, the provisioner of volumes, and, where pods' kernel settings may have no
// effect, what tells their owners, until ctx is done. containerd is
// a process of its own.
func Node(ctx context.Context, spec *nodespec.NodeView, reporter service.Reporter) error {
	if err := compatibility.DefaultComponentGlobalsRegistry.Set(); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	storageClient, err := unlimitedClient(spec.Kubeconfig("storage-provisioner"))
	if err != nil {
		return err
	}
	services := []service.Service{
		{Name: containers.Name, Run: func(ctx context.Context, ready func()) error {
			return containers.Run(ctx, spec, ready)
		}},
		// The kubelet backs off for seconds when it is faster than the API server.
		{Name: apiServer, Run: func(ctx context.Context, ready func()) error {
			return waitForAPIServer(ctx, spec, ready)
		}},
		{Name: imagedirectory.Name, Dependencies: []string{containers.Name}, Run: func(ctx context.Context, ready func()) error {
			return imagedirectory.Run(ctx, spec, reporter, ready)
		}},
		{Name: kubelet.Name, Dependencies: []string{containers.Name, apiServer, imagedirectory.Name}, Run: func(ctx context.Context, ready func()) error {
			return kubelet.Run(ctx, spec, ready)
		}},
		{Name: storage.Name, Dependencies: []string{apiServer}, Run: func(ctx context.Context, ready func()) error {
			return storage.Run(ctx, storageClient, storage.Config{NodeName: spec.Self.Name, Directory: spec.NodePath("storage")}, ready)
		}},
	}
	if spec.Node.OCI.SysctlStandIns {
		services = append(services, service.Service{Name: unenforced.Name, Dependencies: []string{apiServer}, Run: func(ctx context.Context, ready func()) error {
			client, err := kubeclient.New(spec.KubeletKubeconfig())
			if err != nil {
				return err
			}
			return unenforced.Run(ctx, client, spec.Self.Name, ready)
		}})
	}
	return service.Run(ctx, services, reporter)
}

// waitForAPIServer blocks until the API server answers the node's identity and has its Node
// object. That is about a second before the API server calls itself ready: it waits that
// long before it writes its default roles, which nodes do not need (their authorizer is
// "Node").
func waitForAPIServer(ctx context.Context, spec *nodespec.NodeView, ready func()) error {
	client, err := kubeclient.New(spec.KubeletKubeconfig())
	if err != nil {
		return err
	}
	if err := kubeclient.Poll(ctx, func() error { return ensureNode(ctx, client, spec) }); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}

// ensureNode makes the Node object with the node's part of the pod range. A kubelet makes it
// without one, and a controller then gives each node the next part that is free: of several
// nodes that come up at once, each could get another's.
func ensureNode(ctx context.Context, client kubernetes.Interface, spec *nodespec.NodeView) error {
	nodes := client.CoreV1().Nodes()
	_, err := nodes.Get(ctx, spec.Self.Name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	_, err = nodes.Create(ctx, &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: spec.Self.Name},
		Spec:       v1.NodeSpec{PodCIDR: spec.Self.PodRange, PodCIDRs: []string{spec.Self.PodRange}},
	}, metav1.CreateOptions{})
	return err
}
