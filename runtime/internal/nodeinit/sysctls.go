package nodeinit

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	procSys = "/proc/sys"
	// maxSysctlBytes and maxSysctls bound what is copied of a directory of /proc/sys.
	maxSysctlBytes = 64 * 1024
	maxSysctls     = 2000
)

// mountSysctls binds, over each directory of /proc/sys in which a file needs a
// stand-in, a directory that has the stand-ins and copies of the other files.
// Subdirectories without a stand-in are the real ones. /proc/sys/net stays real as a
// whole: its values are those of the reader's network namespace.
func (p *preparation) mountSysctls() error {
	byDirectory := make(map[string]map[string]string)
	for name, value := range p.spec.Node.StandIns.Sysctls {
		top, rest, found := strings.Cut(filepath.Clean(name), "/")
		if !found || top == "net" {
			return fmt.Errorf("%s/%s can not have a stand-in", procSys, name)
		}
		if byDirectory[top] == nil {
			byDirectory[top] = make(map[string]string)
		}
		byDirectory[top][rest] = value
	}
	for _, top := range slices.Sorted(maps.Keys(byDirectory)) {
		if err := p.mountSysctlDirectory(top, byDirectory[top]); err != nil {
			return err
		}
	}
	return nil
}

func (p *preparation) mountSysctlDirectory(top string, standIns map[string]string) error {
	real, err := p.ensureDirectory(filepath.Join(procSys, top))
	if err != nil {
		return err
	}
	substitute := p.spec.NodePath("standins", top)
	if err := os.RemoveAll(substitute); err != nil {
		return err
	}
	// The working directory still shows the real files when their path is covered.
	if err := os.Chdir(real); err != nil {
		return err
	}
	uncopied, err := copySysctls(substitute, standIns)
	if err != nil {
		return err
	}
	for name, value := range standIns {
		path := filepath.Join(substitute, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
	}
	if err := bind(substitute, real); err != nil {
		return err
	}
	for _, directory := range uncopied {
		if err := bind(directory, filepath.Join(real, directory)); err != nil {
			return err
		}
	}
	return nil
}

// copySysctls copies the files of the working directory, and of those directories
// below it that hold a stand-in. It returns the directories that it has only made.
func copySysctls(target string, standIns map[string]string) (uncopied []string, err error) {
	holdsStandIn := func(directory string) bool {
		for name := range standIns {
			if strings.HasPrefix(name, directory+"/") {
				return true
			}
		}
		return false
	}
	count := 0
	err = filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		destination := filepath.Join(target, path)
		if entry.IsDir() {
			if err := os.MkdirAll(destination, 0o755); err != nil {
				return err
			}
			if path == "." || holdsStandIn(path) {
				return nil
			}
			uncopied = append(uncopied, path)
			return fs.SkipDir
		}
		if count++; count > maxSysctls {
			return fs.SkipAll
		}
		// The kubelet writes to its settings, so copies are writable whatever the originals are.
		return os.WriteFile(destination, readSysctl(path), 0o644)
	})
	return uncopied, err
}

// readSysctl returns what a setting says; nothing for one that can not be read.
func readSysctl(path string) []byte {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSysctlBytes))
	if err != nil {
		return nil
	}
	return content
}
