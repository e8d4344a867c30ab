package main

import (
	"path/filepath"
	"slices"
	"strings"

	"sandkube.dev/runtime/internal/nodespec"
)

// systemPath are directories in which the roles must find mount, ip and the like.
var systemPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// roleEnvironment is the environment of every role: the inherited one, with
// sandkube's programs first on PATH and the system's directories on it.
func roleEnvironment(spec *nodespec.NodeSpec, inherited []string) []string {
	directories := []string{spec.Programs, spec.NodePath("bin")}
	var environment []string
	for _, variable := range inherited {
		if path, found := strings.CutPrefix(variable, "PATH="); found {
			directories = append(directories, filepath.SplitList(path)...)
		} else {
			environment = append(environment, variable)
		}
	}
	var unique []string
	for _, directory := range append(directories, systemPath...) {
		if directory != "" && !slices.Contains(unique, directory) {
			unique = append(unique, directory)
		}
	}
	return append(environment, "PATH="+strings.Join(unique, string(filepath.ListSeparator)))
}
