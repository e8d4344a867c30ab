package ociadapter

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

var directories = map[string]bool{"/proc/acpi": true, "/proc/scsi": true, "/sys/firmware": true}

func inTable(path string) (bool, error) { return directories[path], nil }

func TestEditSpec(t *testing.T) {
	const namespaces = `{"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"},{"type":"cgroup"},{"type":"mount"}]}}`
	tests := map[string]struct {
		settings    Settings
		input, want string
	}{
		"nothing asked": {
			input: ` {"linux": {"seccomp": {}, "namespaces": [{"type": "pid"}]}} `,
			want:  ` {"linux": {"seccomp": {}, "namespaces": [{"type": "pid"}]}} `,
		},
		"one namespace": {
			settings: Settings{DropNamespaces: []string{"cgroup"}},
			input:    namespaces,
			want:     `{"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"},{"type":"mount"}]}}`,
		},
		"both namespaces": {
			settings: Settings{DropNamespaces: []string{"cgroup", "pid"}},
			input:    namespaces,
			want:     `{"linux":{"namespaces":[{"type":"network","path":"/run/netns/a"},{"type":"mount"}]}}`,
		},
		"a namespace that is joined by path": {
			settings: Settings{DropNamespaces: []string{"pid"}},
			input:    `{"linux":{"namespaces":[{"type":"pid","path":"/proc/7/ns/pid"},{"type":"ipc"}]}}`,
			want:     `{"linux":{"namespaces":[{"type":"ipc"}]}}`,
		},
		"the last namespace": {
			settings: Settings{DropNamespaces: []string{"pid"}},
			input:    `{"linux":{"namespaces":[{"type":"pid"}]}}`,
			want:     `{"linux":{}}`,
		},
		"masked directories": {
			settings: Settings{DropMaskedDirectories: true},
			input:    `{"linux":{"maskedPaths":["/proc/acpi","/proc/kcore","/sys/firmware","/proc/absent"]}}`,
			want:     `{"linux":{"maskedPaths":["/proc/kcore","/proc/absent"]}}`,
		},
		"seccomp": {
			settings: Settings{DropSeccomp: true},
			input:    `{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"},"resources":{}}}`,
			want:     `{"linux":{"resources":{}}}`,
		},
		"asked for what is not there": {
			settings: Settings{DropNamespaces: []string{"pid"}, DropMaskedDirectories: true, DropSeccomp: true},
			input:    `{"ociVersion":"1.2.0","process":{}}`,
			want:     `{"ociVersion":"1.2.0","process":{}}`,
		},
		"numbers, unknown fields and markup stay as they are": {
			settings: Settings{DropSeccomp: true},
			input: `{"future":{"x":[1.0,1e3]},"process":{"args":["a<b>&\u2028"]},
				"linux":{"seccomp":{},"resources":{"memory":{"limit":9223372036854775807,"swap":-1},"unknown":18446744073709551615}}}`,
			want: `{"future":{"x":[1.0,1e3]},"linux":{"resources":{"memory":{"limit":9223372036854775807,"swap":-1},"unknown":18446744073709551615}},"process":{"args":["a<b>&\u2028"]}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := editSpec([]byte(test.input), test.settings, surroundings{isDirectory: inTable})
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEditSpecTwiceIsTheSame(t *testing.T) {
	settings := Settings{DropNamespaces: []string{"pid"}, DropSeccomp: true}
	once, err := editSpec([]byte(`{"linux":{"seccomp":{},"namespaces":[{"type":"pid"},{"type":"uts"}]}}`), settings, surroundings{isDirectory: inTable})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := editSpec(once, settings, surroundings{isDirectory: inTable})
	if err != nil || string(twice) != string(once) {
		t.Errorf("second edit gives %s, %v; want %s", twice, err, once)
	}
}

func TestEditSpecNamesWhatItCanNotRead(t *testing.T) {
	everything := Settings{DropNamespaces: []string{"pid"}, DropMaskedDirectories: true, DropSeccomp: true}
	failing := func(string) (bool, error) { return false, errors.New("no such thing") }
	for input, want := range map[string]string{
		`not JSON`:                              "invalid character",
		`null`:                                  "not a JSON object",
		`{"linux":[]}`:                          "linux",
		`{"linux":{"namespaces":{}}}`:           "linux.namespaces",
		`{"linux":{"namespaces":["pid"]}}`:      "linux.namespaces[0]",
		`{"linux":{"maskedPaths":["/a"]}}`:      "linux.maskedPaths[0]: no such thing",
		`{"linux":{"maskedPaths":["/a",true]}}`: "linux.maskedPaths",
	} {
		if _, err := editSpec([]byte(input), everything, surroundings{isDirectory: failing}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", input, err, want)
		}
	}
}

func TestEachLogEntryIsALineOfJSON(t *testing.T) {
	log := t.TempDir() + "/log"
	call := parseCommandLine([]string{"--log", log, "--log-format", "json", "create", "id"})
	for _, message := range []string{"first", "second \"quoted\"\nwith a line"} {
		if err := call.appendLog(errors.New(message)); err != nil {
			t.Fatal(err)
		}
	}
	entries := strings.Split(strings.TrimSpace(readFile(t, log)), "\n")
	if len(entries) != 2 {
		t.Fatalf("%d lines, want 2: %q", len(entries), entries)
	}
	var last struct{ Level, Msg, Time string }
	if err := json.Unmarshal([]byte(entries[1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Level != "error" || last.Msg != "second \"quoted\"\nwith a line" || last.Time == "" {
		t.Errorf("entry %+v", last)
	}
}
