package ociadapter

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// testdata is where the TypeScript library leaves its examples of node specs.
const testdata = "../../../../protocol/testdata"

func TestSettingsOfTheExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "node-spec-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		var document struct {
			Node *struct{ OCI map[string]any }
		}
		if err := json.Unmarshal([]byte(readFile(t, file)), &document); err != nil {
			t.Fatal(err)
		}
		if document.Node == nil {
			continue
		}
		tried++
		t.Run(filepath.Base(file), func(t *testing.T) {
			settings, err := loadSettings(file)
			if err != nil {
				t.Fatal(err)
			}
			// The adapter has the fields of the schema if nothing is lost on the way.
			encoded, err := json.Marshal(settings)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(encoded, &got); err != nil {
				t.Fatal(err)
			}
			if want := document.Node.OCI; !reflect.DeepEqual(got, want) {
				t.Errorf("decoded and encoded again: %v, want %v", got, want)
			}
		})
	}
	if tried == 0 {
		t.Errorf("no example of a node in %s", testdata)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct{ document, want string }{
		"nothing":            {"", "unexpected end"},
		"two documents":      {"{}{}", "after top-level value"},
		"no node":            {`{"node":null}`, "no node.oci"},
		"no settings":        {`{"node":{}}`, "no node.oci"},
		"empty settings":     {`{"node":{"oci":null}}`, "no node.oci"},
		"a field of its own": {`{"node":{"oci":{"dropApparmor":true}}}`, `node.oci: json: unknown field "dropApparmor"`},
		"a field's type":     {`{"node":{"oci":{"dropSeccomp":1}}}`, "node.oci: json: cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := decodeSettings([]byte(test.document)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that has %q", err, test.want)
			}
		})
	}
}

func TestTheNodeSpecIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node-spec.json")
	if _, err := loadSettings(file); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v for a file that is missing", err)
	}
	writeFile(t, file, "{}")
	if _, err := loadSettings(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v for a file without settings", err)
	}
}
