package host

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestARecordOfAnotherPlaceIsNotFollowed(t *testing.T) {
	written := record{BootID: "boot", NetworkNamespace: "net:[1]", Changes: []change{
		{Kind: bridgeMade, Target: "sandkube0"},
		{Kind: linkRaised, Target: "lo"},
		{Kind: cgroupMade, Target: "/sys/fs/cgroup/cpu/sandkube"},
	}}
	path := filepath.Join(t.TempDir(), "host.json")
	if err := written.write(path); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		here record
		want []change
	}{
		"same place":                {here: record{BootID: "boot", NetworkNamespace: "net:[1]"}, want: written.Changes},
		"other network namespace":   {here: record{BootID: "boot", NetworkNamespace: "net:[2]"}, want: written.Changes[2:]},
		"after the machine's start": {here: record{BootID: "later", NetworkNamespace: "net:[1]"}},
	} {
		got, present, err := readRecord(path, test.here)
		if err != nil || !present || !slices.Equal(got.Changes, test.want) {
			t.Errorf("%s: %+v, %v, %v", name, got, present, err)
		}
		if got.BootID != test.here.BootID || got.NetworkNamespace != test.here.NetworkNamespace {
			t.Errorf("%s: the record is not moved here: %+v", name, got)
		}
	}
}
