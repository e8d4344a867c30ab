package ociadapter

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sandkube.dev/runtime/internal/nodespec"
)

// TestMain lets the test binary play both programs: the adapter, when it is
// started by a link of its name, and the runc that the adapter becomes, which
// prints what it was given.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "sandkube-runc":
		os.Exit(Main(os.Args, os.Stderr))
	case "runc":
		fmt.Printf("%d\n%s\n%s\n", os.Getpid(), strings.Join(os.Args[1:], " "), os.Getenv(anyProcRootVariable))
		os.Exit(7)
	}
	os.Exit(m.Run())
}

// cluster lays out a cluster's directory and returns the adapter's path in it.
func cluster(t *testing.T, settings nodespec.OCI) (directory, adapter string) {
	t.Helper()
	directory = t.TempDir()
	programs := filepath.Join(directory, "programs")
	spec := nodespec.NodeSpec{
		APIVersion:   nodespec.APIVersion,
		Kind:         nodespec.Kind,
		Cluster:      nodespec.Cluster{Name: "test", Directory: directory},
		Programs:     programs,
		ControlPlane: nodespec.ControlPlane{BindAddress: "127.0.0.1", Port: 6443, AdvertiseAddress: "10.42.0.1", ServiceRange: "10.43.0.0/16", PodRange: "10.42.0.0/16"},
		Nodes:        []nodespec.Node{{Name: "node-1", Address: "10.42.0.1", PodRange: "10.42.0.0/24", CgroupRoot: "/sandkube/test/node-1"}},
		Node: &nodespec.NodeSettings{
			KubeletPort: 10250,
			Containerd:  nodespec.Containerd{Snapshotter: "native"},
			OCI:         settings,
			Images:      nodespec.Images{Directory: filepath.Join(directory, "images")},
			Network:     nodespec.Network{Mode: nodespec.NetworkBridge, Bridge: "sandkube0", MTU: 1500, ServiceAddress: "10.42.0.254", DNSAddress: "10.43.0.10"},
		},
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	adapter = filepath.Join(directory, "node", "bin", "sandkube-runc")
	writeFile(t, filepath.Join(directory, "node-spec.json"), string(encoded))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{adapter, filepath.Join(programs, "runc")} {
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, link); err != nil {
			t.Fatal(err)
		}
	}
	return directory, adapter
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestCreateEditsTheBundleAndBecomesRunc(t *testing.T) {
	directory, adapter := cluster(t, nodespec.OCI{DropNamespaces: []string{"pid"}, DropMaskedDirectories: true, AnyProcRoot: true})
	path := filepath.Join(directory, specFile)
	writeFile(t, path, `{"linux":{"namespaces":[{"type":"pid"},{"type":"uts"}],"maskedPaths":["/proc/self","/proc/version"]}}`)

	command := exec.CommandContext(t.Context(), adapter, "--root", "/r", "create", "--bundle", directory, "id")
	output, _ := command.Output()
	want := fmt.Sprintf("%d\n--root /r create --bundle %s id\n1\n", command.Process.Pid, directory)
	if string(output) != want || command.ProcessState.ExitCode() != 7 {
		t.Errorf("runc says %q with status %d, want %q with 7", output, command.ProcessState.ExitCode(), want)
	}
	if got, want := readFile(t, path), `{"linux":{"maskedPaths":["/proc/version"],"namespaces":[{"type":"uts"}]}}`; got != want {
		t.Errorf("spec %s, want %s", got, want)
	}
	if entries, err := filepath.Glob(path + "?*"); len(entries) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestBundleIsTheWorkingDirectoryUnlessSaid(t *testing.T) {
	directory, adapter := cluster(t, nodespec.OCI{DropSeccomp: true})
	writeFile(t, filepath.Join(directory, specFile), `{"linux":{"seccomp":{}}}`)
	command := exec.CommandContext(t.Context(), adapter, "run", "id")
	command.Dir = directory
	if output, _ := command.Output(); !strings.Contains(string(output), "run id") {
		t.Fatalf("runc says %q", output)
	}
	if got := readFile(t, filepath.Join(directory, specFile)); got != `{"linux":{}}` {
		t.Errorf("spec %s", got)
	}
}

func TestOtherVerbsLeaveTheBundleAlone(t *testing.T) {
	directory, adapter := cluster(t, nodespec.OCI{DropSeccomp: true})
	writeFile(t, filepath.Join(directory, specFile), `{"linux":{"seccomp":{}}}`)
	command := exec.CommandContext(t.Context(), adapter, "delete", "--force", "id")
	command.Dir = directory
	if output, _ := command.Output(); !strings.Contains(string(output), "delete --force id\n\n") {
		t.Fatalf("runc says %q", output)
	}
	if got := readFile(t, filepath.Join(directory, specFile)); got != `{"linux":{"seccomp":{}}}` {
		t.Errorf("spec %s", got)
	}
}

func TestExecEditsTheProcess(t *testing.T) {
	directory, adapter := cluster(t, nodespec.OCI{Environment: map[string]string{"HTTPS_PROXY": "http://proxy.example"}})
	path := filepath.Join(directory, "process.json")
	writeFile(t, path, `{"args":["sh"],"env":["A=1"]}`)
	command := exec.CommandContext(t.Context(), adapter, "exec", "--process", path, "--detach", "id")
	if output, _ := command.Output(); !strings.Contains(string(output), "exec --process "+path+" --detach id") {
		t.Fatalf("runc says %q", output)
	}
	if got, want := readFile(t, path), `{"args":["sh"],"env":["A=1","HTTPS_PROXY=http://proxy.example"]}`; got != want {
		t.Errorf("process %s, want %s", got, want)
	}
}

func TestFailureIsInRuncsLog(t *testing.T) {
	directory, adapter := cluster(t, nodespec.OCI{DropSeccomp: true})
	log := filepath.Join(directory, "log.json")
	command := exec.CommandContext(t.Context(), adapter, "--log", log, "--log-format", "json", "create", "--bundle", "/nowhere", "id")
	output, _ := command.CombinedOutput()
	if command.ProcessState.ExitCode() != 1 || !strings.Contains(string(output), "/nowhere/config.json") {
		t.Errorf("status %d and %q", command.ProcessState.ExitCode(), output)
	}
	var entry struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(readFile(t, log)), &entry); err != nil {
		t.Fatal(err)
	}
	if entry.Level != "error" || !strings.Contains(entry.Msg, "/nowhere/config.json") {
		t.Errorf("log entry %+v", entry)
	}
}

func TestEnvironmentNamesTheNodeSpec(t *testing.T) {
	directory, _ := cluster(t, nodespec.OCI{})
	elsewhere := filepath.Join(t.TempDir(), "sandkube-runc")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, elsewhere); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), elsewhere, "state", "id")
	command.Env = append(os.Environ(), SpecVariable+"="+filepath.Join(directory, "node-spec.json"))
	if output, _ := command.Output(); !strings.Contains(string(output), "state id") {
		t.Errorf("runc says %q", output)
	}
}
