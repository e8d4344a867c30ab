package storage

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v11/controller"
)

const (
	testNode   = "node-1"
	testVolume = "pvc-0d4a6f6c-7a6a-4a0e-9a39-2f6d5a1c1b1e"
)

func testProvisioner(t *testing.T) *provisioner {
	t.Helper()
	return newProvisioner(Config{NodeName: testNode, Directory: filepath.Join(t.TempDir(), "storage")})
}

// testOptions are those of a claim that nothing is wrong with.
func testOptions() controller.ProvisionOptions {
	return controller.ProvisionOptions{
		PVName:       testVolume,
		SelectedNode: &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: testNode}},
		StorageClass: &storagev1.StorageClass{ReclaimPolicy: ptr.To(v1.PersistentVolumeReclaimRetain)},
		PVC: &v1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "shop", Annotations: map[string]string{}},
			Spec: v1.PersistentVolumeClaimSpec{
				AccessModes: []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce},
				Resources:   v1.VolumeResourceRequirements{Requests: v1.ResourceList{v1.ResourceStorage: resource.MustParse("3Gi")}},
			},
		},
	}
}

func TestProvisionMakesADirectoryThatEveryUserCanWriteTo(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	p := testProvisioner(t)
	want := filepath.Join(p.directories.path, testVolume+"_shop_data")
	for range 2 { // A provisioner that is killed is asked again.
		volume, state, err := p.Provision(t.Context(), testOptions())
		if err != nil || state != controller.ProvisioningFinished {
			t.Fatal(state, err)
		}
		if source := volume.Spec.HostPath; source == nil || source.Path != want || *source.Type != v1.HostPathDirectoryOrCreate {
			t.Errorf("the source is %v, want %s", volume.Spec.PersistentVolumeSource, want)
		}
		if size := volume.Spec.Capacity[v1.ResourceStorage]; size.String() != "3Gi" || volume.Spec.PersistentVolumeReclaimPolicy != v1.PersistentVolumeReclaimRetain {
			t.Errorf("the volume is %v", volume.Spec)
		}
		if !p.ShouldDelete(t.Context(), volume) {
			t.Error("the node does not know its own volume")
		}
		if newProvisioner(Config{NodeName: "node-2"}).ShouldDelete(t.Context(), volume) {
			t.Error("another node would remove the volume")
		}
	}
	for path, mode := range map[string]fs.FileMode{p.directories.path: 0o700, want: 0o777} {
		if info, err := os.Stat(path); err != nil || !info.IsDir() || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want mode %v", path, info, err, mode)
		}
	}
}

func TestProvisionChoosesTheVolumeType(t *testing.T) {
	for _, test := range []struct{ class, claim, want string }{
		{"", "", "hostPath"},
		{"local", "", "local"},
		{"", "local", "local"},
		{"local", "hostPath", "hostPath"},
		{"hostPath", "Local", "local"},
		{"", "nfs", ""},
	} {
		t.Run(test.class+" "+test.claim, func(t *testing.T) {
			options := testOptions()
			if test.class != "" {
				options.StorageClass.Annotations = map[string]string{"defaultVolumeType": test.class}
			}
			if test.claim != "" {
				options.PVC.Annotations["volumeType"] = test.claim
			}
			got := ""
			volume, _, err := testProvisioner(t).Provision(t.Context(), options)
			switch {
			case err != nil:
			case volume.Spec.Local != nil:
				got = "local"
			case volume.Spec.HostPath != nil:
				got = "hostPath"
			}
			if got != test.want {
				t.Errorf("got %q, want %q (%v)", got, test.want, err)
			}
		})
	}
}

func TestProvisionRefusesWhatADirectoryCanNotGive(t *testing.T) {
	for want, change := range map[string]func(*controller.ProvisionOptions){
		"ReadWriteMany": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce, v1.ReadWriteMany}
		},
		"ReadOnlyMany": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadOnlyMany}
		},
		"selector": func(o *controller.ProvisionOptions) { o.PVC.Spec.Selector = &metav1.LabelSelector{} },
		"data source": func(o *controller.ProvisionOptions) {
			o.PVC.Spec.DataSource = &v1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "other"}
		},
		"WaitForFirstConsumer": func(o *controller.ProvisionOptions) { o.SelectedNode = nil },
		"nodePath, pathPattern": func(o *controller.ProvisionOptions) {
			o.StorageClass.Parameters = map[string]string{"pathPattern": "x", "nodePath": "/x"}
		},
		"neither hostPath nor": func(o *controller.ProvisionOptions) { o.PVC.Annotations["volumeType"] = "nfs" },
	} {
		t.Run(want, func(t *testing.T) {
			p, options := testProvisioner(t), testOptions()
			change(&options)
			_, state, err := p.Provision(t.Context(), options)
			if err == nil || !strings.Contains(err.Error(), want) || state != controller.ProvisioningFinished {
				t.Errorf("got %v, %v; want %s", state, err, want)
			}
			if entries, err := os.ReadDir(p.directories.path); len(entries) > 0 {
				t.Errorf("it left %v behind (%v)", entries, err)
			}
		})
	}
}

func TestProvisionServesTheClaimsOfItsNode(t *testing.T) {
	p := testProvisioner(t)
	for node, want := range map[string]bool{testNode: true, "node-2": false, "": false} {
		claim := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{selectedNodeAnnotation: node}}}
		if got := p.ShouldProvision(t.Context(), claim); got != want {
			t.Errorf("%q: %v", node, got)
		}
	}
}

func TestLongNamesAreCut(t *testing.T) {
	p, options := testProvisioner(t), testOptions()
	options.PVC.Name = strings.Repeat("n", 253)
	volume, _, err := p.Provision(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Delete(t.Context(), volume); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(p.directories.path); err != nil || len(entries) > 0 {
		t.Errorf("left are %v (%v)", entries, err)
	}
}
