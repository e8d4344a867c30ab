package ociadapter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ofPodSandbox = `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"},"linux":{"sysctl":{"kernel.no_such_setting":"1","kernel.hostname":"h"}}}`

func TestSysctlsThatTheKernelLacks(t *testing.T) {
	settings := Settings{SysctlStandIns: true}
	state := t.TempDir()
	edit := func(t *testing.T, id, spec string) string {
		t.Helper()
		bundle := filepath.Join(state, id)
		if err := os.MkdirAll(bundle, 0o700); err != nil {
			t.Fatal(err)
		}
		edited, err := editSpec([]byte(spec), settings, surroundings{isDirectory: inTable, bundle: bundle, program: "/programs/runc"})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(bundle, specFile), string(edited))
		return string(edited)
	}

	noted := `{"annotations":{"io.kubernetes.cri.container-type":"sandbox","sandkube.dev/sysctl-stand-ins":"{\"kernel.no_such_setting\":\"1\"}"},"linux":{"sysctl":{"kernel.hostname":"h"}}}`
	if got := edit(t, "pod", ofPodSandbox); got != noted {
		t.Errorf("the pod's first container: %s, want %s", got, noted)
	}

	got := edit(t, "container", `{"annotations":{"io.kubernetes.cri.sandbox-id":"pod"}}`)
	want := `{"annotations":{"io.kubernetes.cri.sandbox-id":"pod"},"hooks":{"createContainer":[{"path":"/programs/runc","args":["sandkube-runc","bind-sysctls"]}]}}`
	if got != want {
		t.Errorf("a container of the pod: %s, want %s", got, want)
	}
	if got := readFile(t, filepath.Join(state, "container/sysctls/kernel/no_such_setting")); got != "1\n" {
		t.Errorf("the stand-in holds %q", got)
	}

	edit(t, "plain", `{"annotations":{"io.kubernetes.cri.container-type":"sandbox"}}`)
	const untouched = `{"annotations":{"io.kubernetes.cri.sandbox-id":"plain"}}`
	if got := edit(t, "of-plain", untouched); got != untouched {
		t.Errorf("a container of a pod without settings: %s", got)
	}
}

func TestSysctlsStayWithoutTheAdaptation(t *testing.T) {
	edited, err := editSpec([]byte(ofPodSandbox), Settings{}, surroundings{isDirectory: inTable})
	if err != nil || string(edited) != ofPodSandbox {
		t.Errorf("%s (%v)", edited, err)
	}
}

func TestAPodSandboxThatIsGoneIsAnError(t *testing.T) {
	around := surroundings{isDirectory: inTable, bundle: filepath.Join(t.TempDir(), "container")}
	_, err := editSpec([]byte(`{"annotations":{"io.kubernetes.cri.sandbox-id":"gone"}}`), Settings{SysctlStandIns: true}, around)
	if err == nil || !strings.Contains(err.Error(), "the pod's first container") {
		t.Errorf("error is %v", err)
	}
}
