package ociadapter

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary play runc, when it is started by a link of the adapter's name:
// it prints what it goes on with.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == adapterName {
		arguments := Main(os.Args)
		fmt.Printf("%s\n%s\n", strings.Join(arguments, " "), os.Getenv(anyProcRootVariable))
		os.Exit(7)
	}
	os.Exit(m.Run())
}

// cluster lays out a cluster's directory and returns the adapter's path in it.
func cluster(t *testing.T, settings Settings) (directory, adapter string) {
	t.Helper()
	directory = t.TempDir()
	encoded, err := json.Marshal(map[string]any{"kind": "NodeSpec", "node": map[string]any{"kubeletPort": 10250, "oci": settings}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(directory, "node-spec.json"), string(encoded))
	adapter = filepath.Join(directory, "node", "bin", adapterName)
	if err := os.MkdirAll(filepath.Dir(adapter), 0o700); err != nil {
		t.Fatal(err)
	}
	linkToSelf(t, adapter)
	return directory, adapter
}

func linkToSelf(t *testing.T, path string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
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

func TestUnderAnotherNameNothingIsDone(t *testing.T) {
	for name, argv := range map[string][]string{
		"as runc":      {"/nowhere/node/bin/runc", "create", "id"},
		"as runc init": {runcName, "init"},
		"no name":      {},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Main(argv); !slices.Equal(got, argv) {
				t.Errorf("runc goes on with %q, want %q", got, argv)
			}
		})
	}
}

func TestCreateEditsTheBundleAndGoesOnAsRunc(t *testing.T) {
	directory, adapter := cluster(t, Settings{DropNamespaces: []string{"pid"}, DropMaskedDirectories: true, AnyProcRoot: true})
	path := filepath.Join(directory, specFile)
	writeFile(t, path, `{"linux":{"namespaces":[{"type":"pid"},{"type":"uts"}],"maskedPaths":["/proc/self","/proc/version"]}}`)

	command := exec.CommandContext(t.Context(), adapter, "--root", "/r", "create", "--bundle", directory, "id")
	output, _ := command.Output()
	want := fmt.Sprintf("runc --root /r create --bundle %s id\n1\n", directory)
	if string(output) != want || command.ProcessState.ExitCode() != 7 {
		t.Errorf("runc goes on with %q and status %d, want %q with 7", output, command.ProcessState.ExitCode(), want)
	}
	if got, want := readFile(t, path), `{"linux":{"maskedPaths":["/proc/version"],"namespaces":[{"type":"uts"}]}}`; got != want {
		t.Errorf("spec %s, want %s", got, want)
	}
	if entries, err := filepath.Glob(path + "?*"); len(entries) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestBundleIsTheWorkingDirectoryUnlessSaid(t *testing.T) {
	directory, adapter := cluster(t, Settings{DropSeccomp: true})
	writeFile(t, filepath.Join(directory, specFile), `{"linux":{"seccomp":{}}}`)
	command := exec.CommandContext(t.Context(), adapter, "run", "id")
	command.Dir = directory
	if output, _ := command.Output(); !strings.Contains(string(output), "run id") {
		t.Fatalf("runc goes on with %q", output)
	}
	if got := readFile(t, filepath.Join(directory, specFile)); got != `{"linux":{}}` {
		t.Errorf("spec %s", got)
	}
}

func TestOtherVerbsLeaveTheBundleAlone(t *testing.T) {
	directory, adapter := cluster(t, Settings{DropSeccomp: true})
	writeFile(t, filepath.Join(directory, specFile), `{"linux":{"seccomp":{}}}`)
	command := exec.CommandContext(t.Context(), adapter, "delete", "--force", "id")
	command.Dir = directory
	if output, _ := command.Output(); !strings.Contains(string(output), "delete --force id\n\n") {
		t.Fatalf("runc goes on with %q", output)
	}
	if got := readFile(t, filepath.Join(directory, specFile)); got != `{"linux":{"seccomp":{}}}` {
		t.Errorf("spec %s", got)
	}
}

func TestExecEditsTheProcess(t *testing.T) {
	directory, adapter := cluster(t, Settings{Environment: map[string]string{"HTTPS_PROXY": "http://proxy.example"}})
	path := filepath.Join(directory, "process.json")
	writeFile(t, path, `{"args":["sh"],"env":["A=1"]}`)
	command := exec.CommandContext(t.Context(), adapter, "exec", "--process", path, "--detach", "id")
	if output, _ := command.Output(); !strings.Contains(string(output), "exec --process "+path+" --detach id") {
		t.Fatalf("runc goes on with %q", output)
	}
	if got, want := readFile(t, path), `{"args":["sh"],"env":["A=1","HTTPS_PROXY=http://proxy.example"]}`; got != want {
		t.Errorf("process %s, want %s", got, want)
	}
}

func TestFailureIsInRuncsLog(t *testing.T) {
	directory, adapter := cluster(t, Settings{DropSeccomp: true})
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
	directory, _ := cluster(t, Settings{})
	elsewhere := filepath.Join(t.TempDir(), adapterName)
	linkToSelf(t, elsewhere)
	command := exec.CommandContext(t.Context(), elsewhere, "state", "id")
	command.Env = append(os.Environ(), specVariable+"="+filepath.Join(directory, "node-spec.json"))
	if output, _ := command.Output(); !strings.Contains(string(output), "state id") {
		t.Errorf("runc goes on with %q", output)
	}
}

func TestHookSaysWhyItFails(t *testing.T) {
	// Neither the node spec nor the cluster's directory is at hand where a hook runs.
	hook := filepath.Join(t.TempDir(), adapterName)
	linkToSelf(t, hook)
	command := exec.CommandContext(t.Context(), hook, bindSysctlsVerb)
	command.Stdin = strings.NewReader(`{"bundle":"/nowhere"}`)
	output, _ := command.CombinedOutput()
	if command.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(output), "sandkube-runc bind-sysctls: container spec: ") {
		t.Errorf("status %d and %q", command.ProcessState.ExitCode(), output)
	}
}
