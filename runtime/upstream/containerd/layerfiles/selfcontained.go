package layerfiles

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"
)

// SelfContained is a filter of a layer's entries that lets all of them pass, unless one is in a
// directory that the layer has no entry for. The attributes of such a directory are those that it
// has in a layer below.
func SelfContained() func(*tar.Header) (bool, error) {
	directories := map[string]bool{".": true}
	return func(entry *tar.Header) (bool, error) {
		name := path.Clean(strings.TrimLeft(entry.Name, "/"))
		if parent := path.Dir(name); !directories[parent] {
			return false, fmt.Errorf("the layer has no entry for the directory %s", parent)
		}
		if entry.Typeflag == tar.TypeDir {
			directories[name] = true
		} else {
			delete(directories, name)
		}
		return true, nil
	}
}
