package storage

import (
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func writeFile(t *testing.T, elements ...string) {
	t.Helper()
	path := filepath.Join(elements...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestDeleteRemovesTheVolumeAndNothingElse(t *testing.T) {
	for _, local := range []bool{false, true} {
		p := testProvisioner(t)
		options := testOptions()
		if local {
			options.PVC.Annotations["volumeType"] = "local"
		}
		volume, _, err := p.Provision(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		own, other := filepath.Join(p.directories.path, testVolume+"_shop_data"), filepath.Join(p.directories.path, "pvc-other_shop_data")
		outside := t.TempDir()
		writeFile(t, own, "below", "file")
		writeFile(t, other, "file")
		writeFile(t, outside, "file")
		// What a pod can leave in its volume.
		for name, target := range map[string]string{"outside": outside, "other": other, "up": "..", "below/self": "."} {
			if err := os.Symlink(target, filepath.Join(own, name)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // The volume's object may outlive its directory.
			if err := p.Delete(t.Context(), volume); err != nil {
				t.Fatal(err)
			}
		}
		if exists(own) {
			t.Error("the directory is still there")
		}
		for _, path := range []string{filepath.Join(other, "file"), filepath.Join(outside, "file")} {
			if !exists(path) {
				t.Errorf("%s has been removed too", path)
			}
		}
	}
}

func TestDeleteRefusesPathsThatAreNotTheVolumes(t *testing.T) {
	p := testProvisioner(t)
	directory := p.directories.path
	outside := filepath.Join(filepath.Dir(directory), testVolume+"_outside")
	writeFile(t, outside, "file")
	writeFile(t, directory, "pvc-other_shop_data", "file")
	writeFile(t, directory, "deep", testVolume+"_shop_data", "file")
	if err := os.Symlink(filepath.Dir(directory), filepath.Join(directory, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"", "/", directory, directory + "/", directory + "/..", outside,
		directory + "/../" + testVolume + "_outside",
		directory + "/link/" + testVolume + "_outside",
		directory + "/" + testVolume + "_shop_data/..",
		directory + "/pvc-other_shop_data",
		directory + "/deep/" + testVolume + "_shop_data",
		testVolume + "_shop_data",
	} {
		volume := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: testVolume}}
		volume.Spec.HostPath = &v1.HostPathVolumeSource{Path: path}
		if err := p.Delete(t.Context(), volume); err == nil {
			t.Errorf("%q was accepted", path)
		}
	}
	if err := p.Delete(t.Context(), &v1.PersistentVolume{}); err == nil {
		t.Error("a volume without a path was accepted")
	}
	for _, path := range []string{outside, filepath.Join(directory, "pvc-other_shop_data"), filepath.Join(directory, "deep", testVolume+"_shop_data")} {
		if !exists(filepath.Join(path, "file")) {
			t.Errorf("the content of %s has been removed", path)
		}
	}
}

func TestDeleteDoesNotFollowALinkInTheVolumesPlace(t *testing.T) {
	p := testProvisioner(t)
	outside := t.TempDir()
	writeFile(t, outside, "file")
	name := testVolume + "_shop_data"
	link := filepath.Join(p.directories.path, name)
	if err := os.Mkdir(p.directories.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	if _, err := p.directories.make(name); err == nil {
		t.Error("a link was taken for the volume's directory")
	}
	if err := p.directories.remove(link, testVolume); err != nil {
		t.Error(err)
	}
	if exists(link) || !exists(filepath.Join(outside, "file")) {
		t.Error("the link was followed")
	}
}

func TestTheClustersDirectoryIsNotMadeAgain(t *testing.T) {
	d := directories{path: filepath.Join(t.TempDir(), "removed", "storage")}
	if _, err := d.make("pvc-1_shop_data"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
