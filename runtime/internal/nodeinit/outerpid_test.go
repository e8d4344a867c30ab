package nodeinit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestChildrenHaveAnOuterNumber(t *testing.T) {
	inNode(t, func(t *testing.T, scene *scene) {
		outer, err := OpenOuterProcesses()
		must(t, err)
		scene.prepare(t)
		seen := make(map[int]bool)
		// Both are started within one tick of the clock that /proc counts starts with.
		for _, argument := range []string{"601", "602"} {
			child := exec.Command("sleep", argument)
			must(t, child.Start())
			t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
			number := outer.PID(child.Process.Pid)
			content, err := outer.proc.ReadFile(filepath.Join(strconv.Itoa(number), "cmdline"))
			if err != nil || !strings.Contains(string(content), "\x00"+argument) {
				t.Errorf("process %d outside is %q (%v), want the one with the argument %s", number, content, err, argument)
			}
			if number == child.Process.Pid || seen[number] {
				t.Errorf("number %d inside is %d outside", child.Process.Pid, number)
			}
			seen[number] = true
		}
		if number := outer.PID(os.Getpid()); number != 0 {
			t.Errorf("this process is not its own child, but found as %d", number)
		}
	})
}

func TestParseStat(t *testing.T) {
	tests := []struct {
		stat, started string
		parent        int
		ok            bool
	}{
		{"7 (a) b) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 1", "4711", 3, true},
		{"7 (cut) S 3 7", "", 0, false},
		{"", "", 0, false},
	}
	for _, test := range tests {
		parent, started, ok := parseStat([]byte(test.stat))
		if parent != test.parent || started != test.started || ok != test.ok {
			t.Errorf("%q: parent %d, started %q, %t", test.stat, parent, started, ok)
		}
	}
}
