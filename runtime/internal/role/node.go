package role

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/util/compatibility"
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
func Node(ctx context.Context, spec *nodespec.NodeSpec, reporter service.Reporter) error {
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
			return storage.Run(ctx, storageClient, storage.Config{NodeName: spec.Node.Name, Directory: spec.NodePath("storage")}, ready)
		}},
	}
	if spec.Node.OCI.SysctlStandIns {
		services = append(services, service.Service{Name: unenforced.Name, Dependencies: []string{apiServer}, Run: func(ctx context.Context, ready func()) error {
			client, err := kubeclient.New(spec.Kubeconfig("kubelet"))
			if err != nil {
				return err
			}
			return unenforced.Run(ctx, client, spec.Node.Name, ready)
		}})
	}
	return service.Run(ctx, services, reporter)
}

// waitForAPIServer blocks until the API server answers the node's identity. That is
// about a second before the API server calls itself ready: it waits that long before it
// writes its default roles, which nodes do not need (their authorizer is "Node").
func waitForAPIServer(ctx context.Context, spec *nodespec.NodeSpec, ready func()) error {
	client, err := kubeclient.New(spec.Kubeconfig("kubelet"))
	if err != nil {
		return err
	}
	err = kubeclient.Poll(ctx, func() error {
		_, err := client.CoreV1().Nodes().Get(ctx, spec.Node.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}
