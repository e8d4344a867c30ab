package probe

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	verbProbe  = "probe"
	verbSurvey = "survey"
	verbHang   = "probe-and-hang"
)

// TestMain lets the test binary stand for the program: the probe runs its children, and
// the tests run whole probes, by executing it with a verb.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case verb:
			os.Exit(factMain(os.Args[2:], append(families(), failingFamily())))
		case verbProbe:
			os.Exit(Main(os.Args[2:], os.Stdout, os.Stderr))
		case verbSurvey:
			os.Exit(surveyMain(os.Args[2:]))
		case verbHang:
			os.Exit(hangMain(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// failingFamily holds facts that end as no real one should.
func failingFamily() family {
	return family{name: "failing", facts: []fact{
		{"failing.first", func(*trial) Result { return yes("done") }},
		{"failing.hang", func(*trial) Result { time.Sleep(time.Hour); return Result{} }},
		{"failing.between", func(*trial) Result { return yes("done").withValue(" value\n") }},
		{"failing.signal", func(*trial) Result {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Hour)
			return Result{}
		}},
		{"failing.exit", func(*trial) Result { os.Exit(7); return Result{} }},
		{"failing.panic", func(*trial) Result { panic("at the disco") }},
		{"failing.last", func(*trial) Result { return no(syscall.EOPNOTSUPP, "refused") }},
	}}
}

// survey is a probe's report and what could be seen of the sandbox before and after.
type survey struct {
	Report        Report
	Before, After []string
}

// surveyMain probes with the arguments, in the namespaces that it was started in.
func surveyMain(args []string) int {
	var s survey
	var output bytes.Buffer
	s.Before = traces()
	if code := Main(args, &output, os.Stderr); code != exitOK {
		return code
	}
	s.After = settledTraces(s.Before)
	decoder := json.NewDecoder(&output)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s.Report); err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error())
		return exitInternal
	}
	if json.NewEncoder(os.Stdout).Encode(s) != nil {
		return exitInternal
	}
	return exitOK
}

// settledTraces lists the traces when what another probe holds meanwhile, in a cgroup
// hierarchy that all namespaces of this machine share, has gone. What this probe has left
// stays: the limit is below the age at which others take it for a leftover.
func settledTraces(before []string) []string {
	before = slices.DeleteFunc(slices.Clone(before), isLeftoverTrace)
	found := traces()
	for deadline := time.Now().Add(leftoverAge / 2); !slices.Equal(before, found) && time.Now().Before(deadline); found = traces() {
		time.Sleep(50 * time.Millisecond)
	}
	return found
}

// traces lists what a probe could leave behind: mounts, links, cgroups, files.
func traces() []string {
	var found []string
	for _, path := range []string{"/proc/self/mountinfo", "/proc/net/dev", "/proc/sys/net/ipv4/ip_forward"} {
		content, err := os.ReadFile(path)
		if err != nil {
			found = append(found, err.Error())
		}
		for line := range strings.Lines(string(content)) {
			// Past the name, /proc/net/dev counts packets.
			if path == "/proc/net/dev" {
				line, _, _ = strings.Cut(line, ":")
			}
			found = append(found, path+" "+strings.TrimSpace(line))
		}
	}
	mounts, _ := readMounts()
	directories := []string{os.TempDir(), os.Getenv("SANDKUBE_DATA")}
	for _, m := range mounts {
		if strings.HasPrefix(m.filesystem, "cgroup") {
			directories = append(directories, m.point)
		}
	}
	for _, directory := range directories {
		entries, _ := os.ReadDir(directory)
		for _, entry := range entries {
			if strings.Contains(entry.Name(), leftoverPrefix) {
				found = append(found, directory+" holds "+entry.Name())
			}
		}
	}
	return found
}

// hangMain is a probe one fact of which hangs, while the others' mounts, links and
// scratch directory may still exist: for the test that kills it.
func hangMain(data string) int {
	hanging := failingFamily()
	hanging.facts = hanging.facts[1:2]
	if _, err := run(slices.Concat([]family{hanging}, families()), data, time.Hour); err != nil {
		return exitInternal
	}
	return exitOK
}
