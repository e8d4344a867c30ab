// Package containers waits for containerd and gives it the image that every pod needs.
package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"sandkube.dev/runtime/internal/containerd"
	"sandkube.dev/runtime/internal/kubeclient"
	"sandkube.dev/runtime/internal/nodespec"
)

// Name is the service's name.
const Name = "containers"

// criNamespace is the containerd namespace of all that the CRI manages.
const criNamespace = "k8s.io"

// Run calls ready when containerd can run pods, and then does nothing until ctx is done.
func Run(ctx context.Context, spec *nodespec.NodeView, ready func()) error {
	if err := waitForRuntime(ctx, spec.ContainerdSocket()); err != nil {
		return err
	}
	if err := importPause(ctx, spec); err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	return nil
}

// waitForRuntime blocks until the CRI says that containers and their network can be made.
func waitForRuntime(ctx context.Context, socket string) error {
	// gRPC backs off for a second when it is faster than containerd.
	if err := kubeclient.Poll(ctx, func() error { return dial(socket) }); err != nil {
		return fmt.Errorf("connect to containerd: %w", err)
	}
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to containerd: %w", err)
	}
	defer connection.Close()
	runtime := cri.NewRuntimeServiceClient(connection)
	return kubeclient.Poll(ctx, func() error {
		response, err := runtime.Status(ctx, &cri.StatusRequest{})
		if err != nil {
			return err
		}
		return missing(response.GetStatus())
	})
}

func dial(socket string) error {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	return connection.Close()
}

// missing returns an error for a required condition that is not met (CRI,
// RuntimeStatus). containerd reports more conditions, such as deprecation warnings.
func missing(status *cri.RuntimeStatus) error {
	for _, condition := range status.GetConditions() {
		required := condition.Type == cri.RuntimeReady || condition.Type == cri.NetworkReady
		if required && !condition.Status {
			return fmt.Errorf("%s: %s: %s", condition.Type, condition.Reason, condition.Message)
		}
	}
	return nil
}

// importPause brings the pause image in when it is not there yet.
func importPause(ctx context.Context, spec *nodespec.NodeView) (err error) {
	c, err := client.New(spec.ContainerdSocket(), client.WithDefaultNamespace(criNamespace))
	if err != nil {
		return fmt.Errorf("connect to containerd: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	_, err = c.ImageService().Get(namespaces.WithNamespace(ctx, criNamespace), containerd.PauseImage)
	if !errdefs.IsNotFound(err) {
		return err
	}
	archive, err := os.Open(spec.Program(containerd.PauseArchive))
	if err != nil {
		return fmt.Errorf("pause image: %w", err)
	}
	defer archive.Close()
	if _, err := c.Import(namespaces.WithNamespace(ctx, criNamespace), archive); err != nil {
		return fmt.Errorf("import the pause image: %w", err)
	}
	return nil
}
