package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "node-spec.json")
	if err := os.WriteFile(broken, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		argv   []string
		status int
		stdout string
		stderr string
	}{
		"no command":             {argv: []string{"sandkube-oci"}, status: exitUsage, stderr: "usage: sandkube-oci COMMAND"},
		"unknown command":        {argv: []string{"sandkube-oci", "frobnicate"}, status: exitUsage, stderr: `unknown command "frobnicate"`},
		"version":                {argv: []string{"/usr/bin/sandkube-oci", "version"}, stdout: "0.0.0-dev\n"},
		"set-up without a spec":  {argv: []string{"sandkube-oci", "host-setup"}, status: exitUsage, stderr: "host-setup --spec FILE"},
		"set-up, unknown option": {argv: []string{"sandkube-oci", "host-setup", "--speck", "f"}, status: exitUsage, stderr: "-speck"},
		"restore, surplus words": {argv: []string{"sandkube-oci", "host-restore", "--spec", "f", "g"}, status: exitUsage, stderr: "host-restore --spec FILE"},
		"restore, missing file":  {argv: []string{"sandkube-oci", "host-restore", "--spec", "/nowhere"}, status: 1, stderr: "/nowhere"},
		"set-up, broken spec":    {argv: []string{"sandkube-oci", "host-setup", "--spec", broken}, status: 1, stderr: "apiVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if status := run(test.argv, &stdout, &stderr); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if stdout.String() != test.stdout || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
			}
		})
	}
}
