package probe

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func mountProgramFacts() []fact {
	return []fact{{"mount.file-bind-by-program", tryFileBindByProgram}}
}

// tryFileBindByProgram binds a file with the command that kubelet runs for a subPath.
// util-linux from 2.39 on uses open_tree(2) and mount_setattr(2), which some kernels
// have only in part.
func tryFileBindByProgram(t *trial) Result {
	program, err := exec.LookPath("mount")
	if err != nil {
		return skipped("there is no mount program in PATH")
	}
	version := mountVersion(program)
	bind, err := newFileBind(t)
	if err != nil {
		return no(err, "make files to bind").withValue(version)
	}
	defer bind.source.Close()
	// Where the kernel refuses, the program is not to blame.
	if err := unix.Mount(bind.source.Name(), bind.target, "", unix.MS_BIND, ""); err != nil {
		return no(err, "bind a file").withValue(version)
	}
	unmount(bind.target)

	complaint := bind.by(program)
	if complaint == "" {
		return yes("mount -o bind FILE FILE works").withValue(version)
	}
	remedy := ""
	if bind.by(program, "LIBMOUNT_FORCE_MOUNT2=always") == "" {
		remedy = "; it works with LIBMOUNT_FORCE_MOUNT2=always"
	}
	return no(nil, "mount -o bind FILE FILE: %s%s", complaint, remedy).withValue(version)
}

const boundContent = "content"

// fileBind is a file with content and an empty one to bind it over.
type fileBind struct {
	source *os.File
	target string
}

func newFileBind(t *trial) (fileBind, error) {
	place, err := t.place("file-bind")
	if err != nil {
		return fileBind{}, err
	}
	source, target := filepath.Join(place, "source"), filepath.Join(place, "target")
	if err := leave(source, boundContent); err != nil {
		return fileBind{}, err
	}
	if err := leave(target, ""); err != nil {
		return fileBind{}, err
	}
	opened, err := os.Open(source)
	return fileBind{source: opened, target: target}, err
}

// by lets the program bind the file and returns its complaint; "" when the content is
// seen through the bind.
func (b fileBind) by(program string, environment ...string) string {
	source := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), b.source.Fd())
	output := programOutput(program, environment, "--no-canonicalize", "-o", "bind", source, b.target)
	defer unmount(b.target)
	content, err := os.ReadFile(b.target)
	switch {
	case err != nil:
		return err.Error()
	case string(content) == boundContent:
		return ""
	case output == "":
		return "exits without a complaint and binds nothing"
	default:
		return output
	}
}

// mountVersion is what the program says of itself, "unknown" for one that does not:
// that of busybox takes --version for nothing and lists the mounts.
func mountVersion(program string) string {
	version := programOutput(program, nil, "--version")
	if !strings.HasPrefix(version, "mount from ") {
		return "unknown"
	}
	return version
}

// programOutput runs a program and returns the first line of all it prints.
func programOutput(program string, environment []string, args ...string) string {
	command := exec.Command(program, args...)
	command.Env = append(childEnvironment(), environment...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := command.CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	if line == "" && err != nil {
		line = err.Error()
	}
	return line
}
