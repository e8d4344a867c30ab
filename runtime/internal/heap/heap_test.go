package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"sandkube.dev/runtime/internal/service"
)

// ready is a reporter that only knows whether the role is ready.
type ready struct {
	service.Reporter
	times int
}

func (r *ready) Ready() { r.times++ }

func TestStartEnvironment(t *testing.T) {
	for _, test := range []struct {
		name        string
		environment []string
		want        []string
	}{
		{"nothing set", []string{"A=1"}, []string{"A=1", "GOGC=off"}},
		{"set by the user", []string{"GOGC=200", "A=1"}, []string{"GOGC=200", "A=1"}},
		{"another name", []string{"GOGCX=1"}, []string{"GOGCX=1", "GOGC=off"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := StartEnvironment(test.environment); !slices.Equal(got, test.want) {
				t.Errorf("environment is %v, want %v", got, test.want)
			}
		})
	}
}

func TestTheUsersNumberStays(t *testing.T) {
	t.Setenv(variable, "123")
	next := &ready{}
	if got := ForStart(next); got != service.Reporter(next) {
		t.Errorf("reporter is %T, want the one that was given", got)
	}
	if os.Getenv(variable) != "123" {
		t.Error("the variable is gone")
	}
}

func TestCollectionDuringTheStart(t *testing.T) {
	t.Setenv(variable, off)
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })

	next := &ready{}
	reporter := ForStart(next)
	if _, isSet := os.LookupEnv(variable); isSet {
		t.Error("programs that the role starts would get the variable")
	}
	if got, want := percent(), firstCollectionBytes/minimumBytes*100; got != want {
		t.Errorf("GOGC is %d before the first collection, want %d", got, want)
	}
	runtime.GC()
	for deadline := time.Now().Add(10 * time.Second); percent() != startPercent; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("GOGC is %d after the first collection, want %d", percent(), startPercent)
		}
		runtime.GC()
	}
	reporter.Ready()
	if got := percent(); got != 100 || next.times != 1 {
		t.Errorf("GOGC is %d and the next reporter was told %d times, want 100 and once", got, next.times)
	}
}

// percent is GOGC as it is set.
func percent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}
