package main

import (
	"slices"
	"testing"
)

func TestChoose(t *testing.T) {
	tests := []struct {
		argv []string
		name string
		args []string // nil: refused
	}{
		{[]string{"/opt/sandkube-containerd", "containerd", "--config", "f"}, "containerd", []string{"containerd", "--config", "f"}},
		{[]string{"sandkube-containerd", "ctr", "images", "ls"}, "ctr", []string{"ctr", "images", "ls"}},
		{[]string{"sandkube-containerd", "images", "list"}, "images", []string{"images", "list"}},
		{[]string{"/bin/ctr", "images", "ls"}, "ctr", []string{"/bin/ctr", "images", "ls"}},
		{[]string{"/bin/containerd"}, "containerd", []string{"/bin/containerd"}},
		{[]string{"sandkube-containerd"}, "", nil},
		{[]string{"sandkube-containerd", "volumes"}, "", nil},
		{nil, "", nil},
	}
	for _, test := range tests {
		name, args, err := choose(test.argv)
		if test.args == nil {
			if err == nil {
				t.Errorf("choose(%q) gives %s %q, want an error", test.argv, name, args)
			}
			continue
		}
		if err != nil || name != test.name || !slices.Equal(args, test.args) {
			t.Errorf("choose(%q) gives %s %q, %v; want %s %q", test.argv, name, args, err, test.name, test.args)
		}
	}
}
