package storage

import (
	"maps"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func class(name, provisioner string, annotations map[string]string) *storagev1.StorageClass {
	return &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}, Provisioner: provisioner}
}

func TestClass(t *testing.T) {
	yes, no := map[string]string{defaultClassAnnotation: "true"}, map[string]string{defaultClassAnnotation: "false"}
	// made is what a class of ours has beside whether it is the default.
	made := func(isDefault map[string]string) map[string]string {
		annotations := maps.Clone(isDefault)
		annotations[classVolumeTypeAnnotation] = "local"
		return annotations
	}
	for name, test := range map[string]struct {
		present *storagev1.StorageClass
		want    map[string]string
	}{
		"none":                        {nil, made(yes)},
		"another one":                 {class("fast", "example.com/fast", no), made(yes)},
		"another one is the default":  {class("fast", "example.com/fast", yes), made(no)},
		"not the default any more":    {class("local-path", ProvisionerName, no), no},
		"annotation removed":          {class("local-path", ProvisionerName, nil), nil},
		"the user's own of that name": {class("local-path", "example.com/other", yes), yes},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			classes := client.StorageV1().StorageClasses()
			if test.present != nil {
				if _, err := classes.Create(t.Context(), test.present, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if err := ensureClass(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			got, err := classes.Get(t.Context(), "local-path", metav1.GetOptions{})
			if err != nil || !maps.Equal(got.Annotations, test.want) {
				t.Fatalf("got %v, %v; want %v", got.Annotations, err, test.want)
			}
			if test.present != nil && test.present.Name == got.Name {
				if got.Provisioner != test.present.Provisioner || got.ReclaimPolicy != nil {
					t.Errorf("it was changed: %v", got)
				}
			} else if got.Provisioner != "rancher.io/local-path" || *got.ReclaimPolicy != v1.PersistentVolumeReclaimDelete || *got.VolumeBindingMode != storagev1.VolumeBindingWaitForFirstConsumer {
				t.Errorf("it is %v", got)
			}
		})
	}
}
