package cadvisor

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var (
	webID     = strings.Repeat("a", 64)
	sandboxID = strings.Repeat("b", 64)
	newID     = strings.Repeat("c", 64)
)

func labelsNamed(container string) map[string]string {
	return map[string]string{"io.kubernetes.container.name": container}
}

// runtimeService answers ListContainers, and nothing else.
type runtimeService struct {
	cri.RuntimeServiceClient
	containers []*cri.Container
	err        error
	calls      int
}

func (s *runtimeService) ListContainers(context.Context, *cri.ListContainersRequest, ...grpc.CallOption) (*cri.ListContainersResponse, error) {
	s.calls++
	return &cri.ListContainersResponse{Containers: s.containers}, s.err
}

func TestLabelsAreAskedForOnceForEachContainer(t *testing.T) {
	service := &runtimeService{containers: []*cri.Container{{Id: webID, Labels: labelsNamed("web")}}}
	labels := newCRILabels(service)
	for range 2 {
		got, err := labels.Of(t.Context(), []string{webID, sandboxID})
		if want := map[string]map[string]string{webID: labelsNamed("web")}; err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("Of = %v, %v; want %v", got, err, want)
		}
	}
	if service.calls != 1 {
		t.Errorf("containerd was asked %d times for the same containers", service.calls)
	}
	service.containers = append(service.containers, &cri.Container{Id: newID, Labels: labelsNamed("new")})
	got, err := labels.Of(t.Context(), []string{webID, sandboxID, newID})
	if err != nil || !reflect.DeepEqual(got[newID], labelsNamed("new")) || len(got) != 2 {
		t.Errorf("with a new container Of = %v, %v", got, err)
	}
}

func TestUsageIsToldWithoutLabelsToo(t *testing.T) {
	root := t.TempDir()
	writeTree(t, root, map[string]string{
		"cpuacct/pod/" + webID + "/cpuacct.usage":        "1\n",
		"memory/pod/" + webID + "/memory.usage_in_bytes": "1000\n",
	})
	for name, test := range map[string]struct {
		service *runtimeService
		want    map[string]string
	}{
		"with labels":        {&runtimeService{containers: []*cri.Container{{Id: webID, Labels: labelsNamed("web")}}}, labelsNamed("web")},
		"containerd is down": {&runtimeService{err: errors.New("connection refused")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			i := &Interface{cgroups: findHierarchy(root), samples: make(map[string]cpuSample), labels: newCRILabels(test.service)}
			infos, err := i.ContainerInfoV2("/pod", cadvisorapiv2.RequestOptions{Recursive: true})
			if err != nil {
				t.Fatal(err)
			}
			info := infos["/pod/"+webID]
			if !reflect.DeepEqual(info.Spec.Labels, test.want) || info.Stats[0].Memory.Usage != 1000 {
				t.Errorf("got %+v", info)
			}
		})
	}
}
