package nodeinit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// ensureDirectory makes sure that a directory exists in this namespace, and returns
// its path without symbolic links. What is missing is made in a replica of the nearest
// directory above that exists.
func (p *preparation) ensureDirectory(path string) (resolved string, err error) {
	resolved, err = filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	parent, err := p.ensureDirectory(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	if err := p.replicate(parent); err != nil {
		return "", fmt.Errorf("make %s: %w", path, err)
	}
	resolved = filepath.Join(parent, filepath.Base(path))
	return resolved, os.Mkdir(resolved, 0o755)
}

// replicate replaces a directory, in this namespace, by a replica: a tmpfs on which
// every entry of the directory is mounted, so that more entries can be made without
// the sandbox seeing them. Entries that the sandbox adds later are not seen here.
// A directory that is on a replica already is writable as it is, and / can not be
// replaced: what is missing there is made in the sandbox itself.
func (p *preparation) replicate(path string) error {
	if path == "/" || p.onReplica(path) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	// The working directory stays in the original when the tmpfs covers its path.
	if err := os.Chdir(path); err != nil {
		return err
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := mountTmpfs(path, "mode=0755"); err != nil {
		return err
	}
	p.replicated[path] = true
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(path, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if err := os.Chmod(path, info.Mode()&(fs.ModePerm|fs.ModeSticky|fs.ModeSetgid)); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := replicateEntry(entry, filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// replicateEntry makes an entry of the working directory appear at target. One that
// has gone in the meantime is left out.
func replicateEntry(entry fs.DirEntry, target string) error {
	name := entry.Name()
	if entry.Type()&fs.ModeSymlink != 0 {
		destination, err := os.Readlink(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.Symlink(destination, target)
	}
	if err := makeMountPoint(target, entry.IsDir()); err != nil {
		return err
	}
	err := bind(name, target)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Remove(target)
	}
	return err
}

func makeMountPoint(path string, directory bool) error {
	if directory {
		return os.Mkdir(path, 0o755)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

// onReplica says whether a directory lies on the tmpfs of a replica, and not on
// something that is mounted there.
func (p *preparation) onReplica(path string) bool {
	var directory unix.Stat_t
	if unix.Stat(path, &directory) != nil {
		return false
	}
	for replica := range p.replicated {
		var root unix.Stat_t
		if unix.Stat(replica, &root) == nil && root.Dev == directory.Dev {
			return true
		}
	}
	return false
}
