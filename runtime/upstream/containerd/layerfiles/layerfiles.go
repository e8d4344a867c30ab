// Package layerfiles is how the node's containerd, which is patched for it, makes the regular
// files of a layer: with four system calls for most of them.
//
// containerd itself makes 16 for each, and many have its whole path. In a sandbox a system call
// takes as long as a bare kernel needs to write the file.
package layerfiles

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// xattrPrefix is that of the records by which a tar archive holds extended attributes.
	xattrPrefix = "SCHILY.xattr."
	// writeBytes is how much is written at once.
	writeBytes = 256 << 10
)

// Files makes the regular files of one layer. It is for one goroutine.
type Files struct {
	parent parent
	buffer []byte
	// uid and gid are those of this process.
	uid, gid int
}

// New makes no files yet. Close has to follow.
func New() *Files { return &Files{parent: parent{fd: -1}, uid: os.Geteuid(), gid: os.Getegid()} }

// Entry is a regular file of an archive.
type Entry struct {
	*tar.Header
	Content io.Reader
	// Directory is where it is to be as the header names it, and Path its place, to which no
	// symbolic link leads.
	Directory, Path string
	// NoSameOwner says that the file is to be this process's own.
	NoSameOwner bool
	// Accessed and Modified are the times that it is to have.
	Accessed, Modified time.Time
}

// Create makes a file and says so, unless there is something of its name already or it has
// extended attributes: then nothing was read or changed.
func (f *Files) Create(ctx context.Context, entry Entry) (created bool, err error) {
	for key := range entry.PAXRecords {
		if strings.HasPrefix(key, xattrPrefix) {
			return false, nil
		}
	}
	directory := filepath.Dir(entry.Path)
	if err := f.parent.open(directory); err != nil {
		return false, &os.PathError{Op: "open", Path: directory, Err: err}
	}
	wanted := attributes{uid: f.uid, gid: f.gid, mode: uint32(entry.Mode & 0o7777)}
	if !entry.NoSameOwner {
		wanted.uid, wanted.gid = entry.Uid, entry.Gid
	}
	// Only chmod(2) is sure to give the set-user-ID, set-group-ID and sticky bits.
	mayHaveThem := wanted.uid == f.uid && wanted.gid == f.gid && wanted.mode&^0o777 == 0
	fd, hasThem, err := f.parent.create(filepath.Base(entry.Path), wanted, mayHaveThem)
	if err == unix.EEXIST {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "open", Path: entry.Path, Err: err}
	}
	if err := f.fill(ctx, fd, entry, wanted, hasThem); err != nil {
		_ = unix.Close(fd)
		return false, fmt.Errorf("write %s: %w", entry.Path, err)
	}
	if err := unix.Close(fd); err != nil {
		return false, &os.PathError{Op: "close", Path: entry.Path, Err: err}
	}
	f.parent.keep(entry.Directory, directory)
	return true, nil
}

// Parent is where a directory is, if the entry before was a file that Create has made and that
// named its directory alike: nothing has changed since that the path leads through.
func (f *Files) Parent(named string) (path string, known bool) { return f.parent.is(named) }

// Close ends the work.
func (f *Files) Close() { f.parent.close() }

func (f *Files) fill(ctx context.Context, fd int, entry Entry, wanted attributes, hasThem bool) error {
	if err := f.copy(ctx, fd, entry.Content, entry.Size); err != nil {
		return err
	}
	if !hasThem {
		if err := wanted.set(fd); err != nil {
			return err
		}
	}
	return setTimes(fd, entry.Accessed, entry.Modified)
}

func (f *Files) copy(ctx context.Context, fd int, from io.Reader, bytes int64) error {
	if f.buffer == nil {
		f.buffer = make([]byte, writeBytes)
	}
	for bytes > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := f.buffer[:min(bytes, writeBytes)]
		if _, err := io.ReadFull(from, part); err != nil {
			return err
		}
		if err := write(fd, part); err != nil {
			return err
		}
		bytes -= int64(len(part))
	}
	return nil
}
