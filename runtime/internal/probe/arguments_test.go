package probe

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestMainArguments(t *testing.T) {
	data := t.TempDir()
	for name, test := range map[string]struct {
		args []string
		code int
		ids  []string
	}{
		"chosen facts":   {[]string{"--data", data, "--only", "device.kmsg, process.pidfd"}, exitOK, []string{"device.kmsg", "process.pidfd"}},
		"help":           {[]string{"--help"}, exitOK, nil},
		"unknown fact":   {[]string{"--data", data, "--only", "device.none"}, exitUsage, nil},
		"unknown flag":   {[]string{"--none"}, exitUsage, nil},
		"an argument":    {[]string{"none"}, exitUsage, nil},
		"no time at all": {[]string{"--timeout", "0s"}, exitUsage, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := Main(test.args, &stdout, &stderr); code != test.code {
				t.Fatalf("exit code %d, want %d: %s", code, test.code, &stderr)
			}
			if test.ids == nil {
				if stdout.Len() != 0 || stderr.Len() == 0 {
					t.Errorf("stdout %q, stderr %q: want a word on stderr only", &stdout, &stderr)
				}
				return
			}
			var report Report
			if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
			if len(report.Facts) != len(test.ids) {
				t.Errorf("facts = %v, want %v", report.Facts, test.ids)
			}
			for _, id := range test.ids {
				if report.Facts[id].Detail == "" {
					t.Errorf("%s was not tried", id)
				}
			}
		})
	}
}

// TestRecordedReports checks the reports that the tests of other parts are based on.
func TestRecordedReports(t *testing.T) {
	paths, err := filepath.Glob("../../../protocol/testdata/facts-*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no recorded reports (%v)", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			decoder := json.NewDecoder(bytes.NewReader(content))
			decoder.DisallowUnknownFields()
			var report Report
			if err := decoder.Decode(&report); err != nil {
				t.Fatal(err)
			}
			checkReport(t, report)
		})
	}
}
