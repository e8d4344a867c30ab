package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sandkube.dev/runtime/internal/nodespec"
)

// systemPath are directories in which the roles must find mount, ip and the like.
var systemPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// egressVariables say which way leads out of the sandbox and whom to trust on it, in
// upper or lower case.
var egressVariables = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// roleEnvironment is the environment of a role: the inherited one, with sandkube's
// programs and the directories of programs that are the role's own first on PATH and the
// system's directories on it, and with the way out of the sandbox as the node spec has it.
func roleEnvironment(spec *nodespec.NodeSpec, inherited []string, programs ...string) []string {
	directories := append([]string{spec.Programs}, programs...)
	var environment []string
	for _, variable := range inherited {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case name == "PATH":
			directories = append(directories, filepath.SplitList(value)...)
		case !slices.Contains(egressVariables, strings.ToUpper(name)):
			environment = append(environment, variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Egress.Environment)) {
		environment = append(environment, name+"="+spec.Egress.Environment[name])
	}
	var unique []string
	for _, directory := range append(directories, systemPath...) {
		if directory != "" && !slices.Contains(unique, directory) {
			unique = append(unique, directory)
		}
	}
	return append(environment, "PATH="+strings.Join(unique, string(filepath.ListSeparator)))
}
