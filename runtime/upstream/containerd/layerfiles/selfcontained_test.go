package layerfiles

import (
	"archive/tar"
	"errors"
	"testing"
)

func TestSelfContained(t *testing.T) {
	directory := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name} }
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
	link := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeSymlink, Name: name} }
	cases := map[string]struct {
		entries []tar.Header
		passes  bool
	}{
		"in the root":                     {[]tar.Header{file("a"), directory("./"), file("./b"), file("/c")}, true},
		"in directories":                  {[]tar.Header{directory("a/"), directory("./a/b"), file("a/b/c"), file("/a/d")}, true},
		"in a directory without an entry": {[]tar.Header{directory("a/"), file("a/b/c")}, false},
		"before the directory's entry":    {[]tar.Header{file("a/b"), directory("a/")}, false},
		"through a link":                  {[]tar.Header{directory("a/"), link("b"), file("b/c")}, false},
		"in what is a link by now":        {[]tar.Header{directory("a/"), link("a"), file("a/b")}, false},
		"out of the root":                 {[]tar.Header{file("../a")}, false},
		"a whiteout":                      {[]tar.Header{file("a/.wh.b")}, false},
	}
	for what, one := range cases {
		t.Run(what, func(t *testing.T) {
			filter := SelfContained()
			var refused error
			for _, entry := range one.entries {
				accepted, err := filter(&entry)
				if accepted != (err == nil) {
					t.Errorf("%s: accepted: %t, %v", entry.Name, accepted, err)
				}
				refused = errors.Join(refused, err)
			}
			if (refused == nil) != one.passes {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}
