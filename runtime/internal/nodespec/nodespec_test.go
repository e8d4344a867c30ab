package nodespec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/nodespec"
)

// testdata is where the TypeScript library leaves its examples.
const testdata = "../../../protocol/testdata"

func TestDecodeExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "node-spec-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no examples in %s", testdata)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			spec, err := nodespec.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			// Both languages hold the same fields if nothing is lost on the way.
			written, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			original, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := canonical(t, written), canonical(t, original); got != want {
				t.Errorf("decoded and encoded again:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestControlPlaneHasNoNode(t *testing.T) {
	spec, err := nodespec.Load(filepath.Join(testdata, "node-spec-control-plane.json"))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Node != nil || len(spec.Views()) != 0 {
		t.Errorf("node is %+v, want none", spec.Node)
	}
}

func TestDecodeRejects(t *testing.T) {
	tests := []struct {
		name string
		// path and value replace one field of a valid document.
		path  []string
		value any
		// want is a part of the error's text.
		want string
	}{
		{"other API version", []string{"apiVersion"}, "sandkube.dev/v2", "apiVersion"},
		{"other kind", []string{"kind"}, "Pod", "kind"},
		{"unknown field", []string{"colour"}, "red", "unknown field"},
		{"unknown field of the node", []string{"node", "oci", "dropApparmor"}, true, "unknown field"},
		{"wrong type", []string{"controlPlane", "port"}, "6443", "cannot unmarshal"},
		{"cluster name with a slash", []string{"cluster", "name"}, "../other", "cluster.name"},
		{"no cluster name", []string{"cluster", "name"}, "", "cluster.name"},
		{"relative cluster directory", []string{"cluster", "directory"}, "default", "cluster.directory"},
		{"relative programs directory", []string{"programs"}, "programs", "programs"},
		{"variable without a name", []string{"egress", "environment"}, map[string]string{"": "x"}, "egress.environment"},
		{"variable of containers with an equals sign", []string{"node", "oci", "environment"}, map[string]string{"A=B": "x"}, "node.oci.environment"},
		{"relative CA bundle", []string{"node", "oci", "caBundle"}, "bundle.pem", "node.oci.caBundle"},
		{"port 0 of the loopback address", []string{"node", "network", "loopbackPorts"}, []int{0}, "node.network.loopbackPorts"},
		{"bind address that is a name", []string{"controlPlane", "bindAddress"}, "localhost", "controlPlane.bindAddress"},
		{"port 0", []string{"controlPlane", "port"}, 0, "controlPlane.port"},
		{"port too large", []string{"controlPlane", "port"}, 65536, "controlPlane.port"},
		{"no advertised address", []string{"controlPlane", "advertiseAddress"}, "", "controlPlane.advertiseAddress"},
		{"Service range without prefix", []string{"controlPlane", "serviceRange"}, "10.43.0.0", "controlPlane.serviceRange"},
		{"pod range that is no CIDR", []string{"controlPlane", "podRange"}, "10.42/16", "controlPlane.podRange"},
		{"no nodes", []string{"nodes"}, []nodespec.Node{}, "node and nodes"},
		{"node without name", []string{"nodes"}, []nodespec.Node{{Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "/a"}}, "nodes[0].name"},
		{"node address that is a range", []string{"nodes"}, []nodespec.Node{{Name: "a", Address: "10.42.0.1/24", PodRange: "10.42.0.0/24", CgroupRoot: "/a"}}, "nodes[0].address"},
		{"node pod range that is an address", []string{"nodes"}, []nodespec.Node{{Name: "a", Address: "10.42.0.1", PodRange: "10.42.0.0", CgroupRoot: "/a"}}, "nodes[0].podRange"},
		{"the root cgroup", []string{"nodes"}, []nodespec.Node{{Name: "a", Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "/"}}, "nodes[0].cgroupRoot"},
		{"relative cgroup", []string{"nodes"}, []nodespec.Node{{Name: "a", Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "sandkube"}}, "nodes[0].cgroupRoot"},
		{"two nodes in one cgroup", []string{"nodes"}, []nodespec.Node{
			{Name: "a", Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "/a"},
			{Name: "b", Address: "10.42.1.1", PodRange: "10.42.1.0/24", CgroupRoot: "/a"},
		}, "nodes[1] has a name, an address, a range or a cgroup of node \"a\""},
		{"negative kubelet port", []string{"node", "kubeletPort"}, -1, "node.kubeletPort"},
		{"other snapshotter", []string{"node", "containerd", "snapshotter"}, "zfs", "node.containerd.snapshotter"},
		{"negative tmpfs size", []string{"node", "containerd", "snapshotTmpfsBytes"}, -1, "node.containerd.snapshotTmpfsBytes"},
		{"namespace that can not be dropped", []string{"node", "oci", "dropNamespaces"}, []string{"mount"}, "node.oci.dropNamespaces"},
		{"stand-in outside of /proc/sys", []string{"node", "standIns", "sysctls"}, map[string]string{"../../etc/passwd": "x"}, "node.standIns.sysctls"},
		{"absolute stand-in", []string{"node", "standIns", "sysctls"}, map[string]string{"/etc/passwd": "x"}, "node.standIns.sysctls"},
		{"other network mode", []string{"node", "network", "mode"}, "overlay", "node.network.mode"},
		{"host-network mode with a bridge", []string{"node", "network", "mode"}, "host", "node.network"},
		{"no bridge", []string{"node", "network", "bridge"}, "", "node.network.bridge"},
		{"bridge name of 12 bytes", []string{"node", "network", "bridge"}, "sandkube0123", "node.network.bridge"},
		{"service address outside of the pod range", []string{"node", "network", "serviceAddress"}, "10.43.0.254", "node.network.serviceAddress"},
		{"gateway outside of the pod range", []string{"node", "network", "gatewayAddress"}, "10.43.0.253", "node.network.gatewayAddress"},
		{"DNS without an address", []string{"node", "network", "dnsAddress"}, "", "node.network.dnsAddress"},
		{"tiny MTU", []string{"node", "network", "mtu"}, 575, "node.network.mtu"},
	}
	original, err := os.ReadFile(filepath.Join(testdata, "node-spec-full-kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := nodespec.Decode(replace(t, original, test.path, test.value))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %q, want it to name %q", err, test.want)
			}
		})
	}
}

func TestNodesDifferInWhatIsTheirs(t *testing.T) {
	spec, err := nodespec.Load(filepath.Join(testdata, "node-spec-two-nodes.json"))
	if err != nil {
		t.Fatal(err)
	}
	first, second := spec.Views()[0], spec.Views()[1]
	for _, path := range []func(*nodespec.NodeView) string{
		(*nodespec.NodeView).ContainerdSocket, (*nodespec.NodeView).SnapshotTmpfs, (*nodespec.NodeView).LeaseDirectory,
		(*nodespec.NodeView).InitProcess, (*nodespec.NodeView).KubeletKubeconfig, (*nodespec.NodeView).KubeletCertificate,
		(*nodespec.NodeView).KubeletClient,
	} {
		if path(first) == path(second) {
			t.Errorf("both have %s", path(first))
		}
	}
	if first.RoleName("containerd") != "containerd" || second.RoleName("containerd") != "containerd-2" {
		t.Errorf("roles are %s and %s", first.RoleName("containerd"), second.RoleName("containerd"))
	}
	if found, err := spec.View("node-2"); err != nil || found.Self.Address != "10.42.1.1" {
		t.Errorf("node-2 is %+v, %v", found, err)
	}
	if _, err := spec.View("node-3"); err == nil {
		t.Error("there is a third node")
	}
}

func TestDecodeRejectsWhatIsNotOneDocument(t *testing.T) {
	for name, document := range map[string]string{
		"nothing":       "",
		"a list":        "[]",
		"cut off":       `{"apiVersion":`,
		"two documents": "{}{}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := nodespec.Decode([]byte(document)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestDecodeNamesEveryProblem(t *testing.T) {
	_, err := nodespec.Decode([]byte("{}"))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, field := range []string{"apiVersion", "kind", "cluster.name", "programs", "controlPlane.port"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("error %q does not name %s", err, field)
		}
	}
}

// replace sets one field of a JSON document.
func replace(t *testing.T, document []byte, path []string, value any) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(document, &root); err != nil {
		t.Fatal(err)
	}
	object := root
	for _, key := range path[:len(path)-1] {
		inner, ok := object[key].(map[string]any)
		if !ok {
			t.Fatalf("%s is not an object", key)
		}
		object = inner
	}
	object[path[len(path)-1]] = value
	changed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// canonical is a JSON document with sorted keys and fixed spacing.
func canonical(t *testing.T, document []byte) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatal(err)
	}
	formatted, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(formatted)
}
