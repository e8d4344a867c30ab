// Package storage provisions the volumes of the StorageClass local-path: directories
// of the node. Names, annotations and refusals are those of the local-path-provisioner
// that k3s brings (https://github.com/rancher/local-path-provisioner), which needs an
// image and a helper pod for what is one system call here.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v11/controller"
)

// Name is the service's name.
const Name = "storage"

// ProvisionerName is what a StorageClass names to have its volumes from here.
const ProvisionerName = "rancher.io/local-path"

// How long a volume that could not be made or removed waits for the next try.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// Config says whose volumes are provisioned, and where.
type Config struct {
	// NodeName is the node that the volumes belong to. Claims that the scheduler has
	// given to other nodes are left to the provisioners there.
	NodeName string
	// Directory is the absolute path of the directory that holds the volumes. It is
	// made when the first volume is; the directory above it must exist.
	Directory string
	// Logger is nil for klog's.
	Logger *slog.Logger
}

// Run ensures the StorageClass and provisions volumes until ctx is done. Ready is
// called at once: nothing waits for a volume but the pods that use it, and what goes
// wrong is told by events of the claim and tried again. The only error is that of an
// unusable config.
func Run(ctx context.Context, client kubernetes.Interface, config Config, ready func()) error {
	if config.NodeName == "" {
		return errors.New("the node's name is empty")
	}
	if !filepath.IsAbs(config.Directory) {
		return fmt.Errorf("the directory of volumes %q is not an absolute path", config.Directory)
	}
	logger := klog.Background().WithName(Name)
	if config.Logger != nil {
		logger = logr.FromSlogHandler(config.Logger.Handler())
	}
	ctx = klog.NewContext(ctx, logger)
	ready()
	if ensureClass(ctx, client) != nil {
		return nil // ctx is done
	}
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[any](firstRetry, lastRetry)
	controller.NewProvisionController(ctx, client, ProvisionerName, newProvisioner(config),
		// One provisioner a node: it has nobody to be elected against.
		controller.LeaderElection(false),
		controller.RateLimiter(limiter),
	).Run(ctx)
	return nil
}
