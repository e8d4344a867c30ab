package storage

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

// run runs the provisioner beside the test and returns what happens to volumes.
func run(t *testing.T, client *fake.Clientset, directory string) <-chan watch.Event {
	t.Helper()
	volumes, err := client.CoreV1().PersistentVolumes().Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, ready := make(chan error), make(chan struct{})
	go func() {
		config := Config{NodeName: testNode, Directory: directory, Logger: slog.New(slog.DiscardHandler)}
		ended <- Run(ctx, client, config, func() { close(ready) })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	<-ready
	return volumes.ResultChan()
}

func TestRunProvisionsAsSoonAsItMay(t *testing.T) {
	claim := testOptions().PVC
	claim.UID = "0d4a6f6c-7a6a-4a0e-9a39-2f6d5a1c1b1e"
	claim.Spec.StorageClassName = ptr.To(className)
	claim.Annotations = map[string]string{selectedNodeAnnotation: testNode, "volume.kubernetes.io/storage-provisioner": ProvisionerName}
	client := fake.NewClientset(claim, testOptions().SelectedNode)
	var refused atomic.Bool
	client.PrependReactor("list", "storageclasses", func(clienttesting.Action) (bool, runtime.Object, error) {
		if refused.Swap(true) {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "storageclasses"}, "", nil)
	})
	directory := filepath.Join(t.TempDir(), "storage")
	volume := (<-run(t, client, directory)).Object.(*v1.PersistentVolume)
	if volume.Name != testVolume || volume.Spec.ClaimRef.UID != claim.UID || volume.Spec.StorageClassName != className {
		t.Errorf("the volume is %v", volume)
	}
	if !exists(filepath.Join(directory, testVolume+"_shop_data")) {
		t.Error("its directory does not exist")
	}
}

func TestRunRemovesReleasedVolumes(t *testing.T) {
	p := testProvisioner(t)
	objects := make(map[v1.PersistentVolumeReclaimPolicy]*v1.PersistentVolume)
	for name, policy := range map[string]v1.PersistentVolumeReclaimPolicy{"pvc-1": v1.PersistentVolumeReclaimRetain, "pvc-2": v1.PersistentVolumeReclaimDelete} {
		options := testOptions()
		options.PVName, options.StorageClass.ReclaimPolicy = name, &policy
		volume, _, err := p.Provision(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		volume.Annotations = map[string]string{"pv.kubernetes.io/provisioned-by": ProvisionerName}
		volume.Status.Phase = v1.VolumeReleased
		objects[policy] = volume
	}
	client := fake.NewClientset(objects[v1.PersistentVolumeReclaimRetain], objects[v1.PersistentVolumeReclaimDelete])
	for event := range run(t, client, p.directories.path) {
		if event.Type != watch.Deleted {
			continue // The watch begins with what is there.
		}
		if name := event.Object.(*v1.PersistentVolume).Name; name != "pvc-2" {
			t.Errorf("%s is gone", name)
		}
		break
	}
	entries, err := os.ReadDir(p.directories.path)
	if err != nil || len(entries) != 1 || entries[0].Name() != "pvc-1_shop_data" {
		t.Errorf("left are %v (%v)", entries, err)
	}
}

func TestRunRefusesAnUnusableConfig(t *testing.T) {
	for want, config := range map[string]Config{
		"name is empty":        {Directory: "/storage"},
		"not an absolute path": {NodeName: testNode, Directory: "storage"},
	} {
		err := Run(t.Context(), fake.NewClientset(), config, func() { t.Error("it called itself ready") })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
