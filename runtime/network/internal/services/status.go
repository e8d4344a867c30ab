package services

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// statusRetryDelay is the time until a status that could not be written is tried again.
const statusRetryDelay = 2 * time.Second

// statusChange is a Service whose load balancer's addresses are to become ingress.
type statusChange struct {
	service         types.NamespacedName
	resourceVersion string
	// ingress is nil when the Service is to have no address.
	ingress []v1.LoadBalancerIngress
}

// statusChanges compares the load-balancer statuses with what the Snapshot serves. A
// status of another load-balancer implementation is never among them.
func statusChanges(services []*v1.Service, snapshot *Snapshot, address netip.Addr) []statusChange {
	var changes []statusChange
	for _, service := range services {
		if service.DeletionTimestamp != nil {
			continue
		}
		var wanted []v1.LoadBalancerIngress
		current := service.Status.LoadBalancer.Ingress
		own := isOnlyAddress(current, address)
		switch {
		case snapshot.LoadBalancers.Has(nameOf(service)):
			// As of k3s' ServiceLB: the address alone, whose mode the API server defaults
			// to VIP, and no ports.
			wanted = []v1.LoadBalancerIngress{{IP: address.String()}}
			if own {
				continue
			}
		case isServed(service) && isNodeLoadBalancer(service):
			// A port of it could not be had.
			if len(current) == 0 {
				continue
			}
		case service.Spec.Type == v1.ServiceTypeLoadBalancer || !own:
			continue
		}
		changes = append(changes, statusChange{nameOf(service), service.ResourceVersion, wanted})
	}
	return changes
}

func isOnlyAddress(ingress []v1.LoadBalancerIngress, address netip.Addr) bool {
	if len(ingress) != 1 {
		return false
	}
	only := ingress[0]
	return only.IP == address.String() && only.Hostname == "" && len(only.Ports) == 0 &&
		(only.IPMode == nil || *only.IPMode == v1.LoadBalancerIPModeVIP)
}

// patch returns a merge patch of the status that fails when the Service has changed since.
func (c *statusChange) patch() ([]byte, error) {
	type loadBalancer struct {
		// Ingress without omitempty: null is what removes it (RFC 7396).
		Ingress []v1.LoadBalancerIngress `json:"ingress"`
	}
	type status struct {
		LoadBalancer loadBalancer `json:"loadBalancer"`
	}
	type metadata struct {
		ResourceVersion string `json:"resourceVersion,omitempty"`
	}
	return json.Marshal(struct {
		Metadata metadata `json:"metadata"`
		Status   status   `json:"status"`
	}{metadata{c.resourceVersion}, status{loadBalancer{c.ingress}}})
}

// statusWriter writes load-balancer statuses apart from the Snapshots' goroutine, so that
// a slow API server does not hold up changes of endpoints.
type statusWriter struct {
	client kubernetes.Interface
	// again asks for the changes that are still due.
	again func()
	log   *slog.Logger
	// offered holds the latest changes until they are taken.
	offered chan []statusChange
}

func newStatusWriter(client kubernetes.Interface, again func(), log *slog.Logger) *statusWriter {
	return &statusWriter{client: client, again: again, log: log, offered: make(chan []statusChange, 1)}
}

// offer hands over all changes that are due now, in place of those offered before. It is
// called by one goroutine only, and does not block.
func (w *statusWriter) offer(changes []statusChange) {
	select {
	case <-w.offered:
	default:
	}
	w.offered <- changes
}

func (w *statusWriter) run(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-retry:
			retry = nil
			w.again()
		case changes := <-w.offered:
			if !w.writeAll(ctx, changes) {
				retry = time.After(statusRetryDelay)
			}
		}
	}
}

// writeAll returns false when some change has to be tried again. One that came too late,
// since the Service has changed or is gone, need not: an event of it is under way.
func (w *statusWriter) writeAll(ctx context.Context, changes []statusChange) bool {
	done := true
	for i := range changes {
		change := &changes[i]
		err := w.write(ctx, change)
		switch {
		case err == nil, apierrors.IsConflict(err), apierrors.IsNotFound(err):
		case ctx.Err() != nil:
			return false
		default:
			w.log.Warn("load-balancer status not written", "error", err)
			done = false
		}
	}
	return done
}

func (w *statusWriter) write(ctx context.Context, change *statusChange) error {
	patch, err := change.patch()
	if err != nil {
		return fmt.Errorf("status of Service %s: %w", change.service, err)
	}
	_, err = w.client.CoreV1().Services(change.service.Namespace).Patch(ctx, change.service.Name,
		types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return fmt.Errorf("status of Service %s: %w", change.service, err)
	}
	return nil
}
