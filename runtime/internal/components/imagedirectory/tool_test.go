package imagedirectory

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadLines(t *testing.T) {
	for _, test := range []struct{ name, lines, result, problem string }{
		{"a result", `{"type":"progress","progress":{"phase":"reading","bytes":1,"totalBytes":4}}` + "\n" + `{"type":"result","result":[1]}`, "[1]", ""},
		{"a refusal", `{"type":"refusal","refusal":{"kind":"space","message":"no space is left","hint":"Free some."}}`, "", "no space is left. Free some."},
		{"a registry's refusal", `{"type":"retry","retry":{"because":"429","delayMs":1000}}` + "\n" + `{"type":"refusal","refusal":{"kind":"registry","message":"example.test: 404","hint":"","faults":[]}}`, "", "example.test: 404"},
		{"no JSON", `oops`, "", "invalid character 'o' looking for beginning of value"},
	} {
		var told []string
		result, err := readLines(strings.NewReader(test.lines), func(progress string) { told = append(told, progress) })
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		if string(result) != test.result || problem != test.problem {
			t.Errorf("%s: got %s, %q", test.name, result, problem)
		}
		if test.name == "a result" && !slices.Equal(told, []string{"reading, 25 %"}) {
			t.Errorf("told %q", told)
		}
	}
}

func TestReadList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	write(t, path, "\ufeff# names\r\nexample.test/a:1\r\n\n  example.test/b  \n")
	references, err := readList(path)
	if want := []string{"example.test/a:1", "example.test/b"}; err != nil || !slices.Equal(references, want) {
		t.Errorf("got %q, %v", references, err)
	}
}
