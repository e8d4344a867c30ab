package cadvisor

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Labels tells the labels of containers, which say what pod and container of
// Kubernetes each is.
type Labels interface {
	// Of returns the labels by container id. Ids of no container are left out.
	Of(ctx context.Context, ids []string) (map[string]map[string]string, error)
}

// containerID is what the last part of a container's cgroup name looks like: its id.
var containerID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// labelsTimeout limits how long one question for usage waits for containerd.
const labelsTimeout = 2 * time.Second

// labelsOf returns the labels of those cgroups that are containers', by cgroup name.
// Without an answer from containerd it is empty: usage is told all the same.
func (i *Interface) labelsOf(names []string) map[string]map[string]string {
	byID := make(map[string]string)
	var ids []string
	for _, name := range names {
		if id := path.Base(name); containerID.MatchString(id) {
			byID[id] = name
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), labelsTimeout)
	defer cancel()
	found, err := i.labels.Of(ctx, ids)
	if err != nil {
		return nil
	}
	byName := make(map[string]map[string]string, len(found))
	for id, labels := range found {
		byName[byID[id]] = labels
	}
	return byName
}

// criLabels asks the CRI, and remembers the answers: labels never change.
type criLabels struct {
	client cri.RuntimeServiceClient

	mu sync.Mutex
	// known holds the labels of every id that was asked about; nil for one that is no container's.
	known map[string]map[string]string
}

// NewLabels returns the labels that containerd has, asked at its CRI socket.
func NewLabels(socket string) (Labels, error) {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	return newCRILabels(cri.NewRuntimeServiceClient(connection)), nil
}

func newCRILabels(client cri.RuntimeServiceClient) *criLabels {
	return &criLabels{client: client, known: make(map[string]map[string]string)}
}

func (l *criLabels) Of(ctx context.Context, ids []string) (map[string]map[string]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if _, ok := l.known[id]; ok {
			continue
		}
		if err := l.refresh(ctx, ids); err != nil {
			return nil, err
		}
		break
	}
	found := make(map[string]map[string]string)
	for _, id := range ids {
		if labels := l.known[id]; labels != nil {
			found[id] = labels
		}
	}
	return found, nil
}

// refresh replaces what is known by what containerd has now. The cgroups of pod
// sandboxes are among the ids, and are no containers.
func (l *criLabels) refresh(ctx context.Context, ids []string) error {
	list, err := l.client.ListContainers(ctx, &cri.ListContainersRequest{})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	clear(l.known)
	for _, id := range ids {
		l.known[id] = nil
	}
	for _, container := range list.GetContainers() {
		l.known[container.GetId()] = container.GetLabels()
	}
	return nil
}
