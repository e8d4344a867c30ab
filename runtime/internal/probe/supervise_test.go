package probe

import (
	"strings"
	"testing"
	"time"
)

func TestSuperviseBlamesTheFactThatEndsAChild(t *testing.T) {
	s := makeScratch(t.TempDir())
	defer s.remove()
	got := supervise([]family{failingFamily()}, s, time.Second)

	want := map[string]Result{
		"failing.first":   {State: Yes, Detail: "done"},
		"failing.hang":    {State: Timeout, Detail: "no answer within 1s"},
		"failing.between": {State: Yes, Detail: "done", Value: "value"},
		"failing.signal":  {State: Crash, Detail: "killed by SIGKILL"},
		"failing.exit":    {State: Crash, Detail: "exited with status 7"},
		"failing.panic":   {State: Crash, Detail: "panic: at the disco"},
		"failing.last":    {State: No, Errno: "EOPNOTSUPP", Detail: "refused: operation not supported"},
	}
	if len(got) != len(want) {
		t.Errorf("got %d results, want %d: %v", len(got), len(want), got)
	}
	for id, w := range want {
		r := got[id]
		r.ElapsedMs = 0
		if r != w {
			t.Errorf("%s = %+v, want %+v", id, r, w)
		}
	}
}

func TestSuperviseBlamesAllWhenTheChildNeverStarts(t *testing.T) {
	s := makeScratch(t.TempDir())
	defer s.remove()
	// The child looks its family up by fact: one that it does not know ends it at once.
	unknown := family{name: "unknown", facts: []fact{{id: "unknown.one"}, {id: "unknown.two"}}}
	got := supervise([]family{unknown}, s, 10*time.Second)
	if len(got) != 2 {
		t.Errorf("got %v, want a result of each fact", got)
	}
	for id, r := range got {
		if r.State != Crash || !strings.Contains(r.Detail, "before any fact was tried") {
			t.Errorf("%s = %+v, want a crash before any fact was tried", id, r)
		}
	}
}
