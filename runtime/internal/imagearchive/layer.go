package imagearchive

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Source puts something into the image's file system.
type Source struct {
	kind kind
	// from is a path on this machine, or the link's target.
	from string
	to   string
	mode fs.FileMode
}

type kind int

const (
	file kind = iota
	directory
	link
)

// File puts one regular file at an absolute path of the image. The mode's
// permission, set-user-ID, set-group-ID and sticky bits are kept.
func File(from, to string, mode fs.FileMode) Source {
	return Source{kind: file, from: from, to: to, mode: mode}
}

// Directory puts a directory's content, with its permission bits, at an
// absolute path of the image. An empty from makes an empty directory.
func Directory(from, to string) Source {
	return Source{kind: directory, from: from, to: to}
}

// Link makes a symbolic link at an absolute path of the image.
func Link(target, to string) Source {
	return Source{kind: link, from: target, to: to}
}

// entry is one member of the layer, keyed by its path without leading slash.
type entry struct {
	header  tar.Header
	content string // path on this machine, for regular files
}

// writeLayer writes the sources as a tar stream: sorted, owned by 0:0 and with
// no times, so that the digest depends on content alone. A later source
// replaces an earlier one at the same path.
func writeLayer(out io.Writer, sources []Source) error {
	entries := map[string]entry{}
	for _, source := range sources {
		if err := collect(entries, source); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	writer := tar.NewWriter(out)
	for _, name := range names {
		if err := writeEntry(writer, entries[name]); err != nil {
			return fmt.Errorf("write %s to the layer: %w", name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return fmt.Errorf("finish the layer: %w", err)
	}
	return nil
}

func collect(entries map[string]entry, source Source) error {
	if !path.IsAbs(source.to) {
		return fmt.Errorf("path %q in the image is not absolute", source.to)
	}
	name := strings.TrimPrefix(path.Clean(source.to), "/")
	switch source.kind {
	case link:
		put(entries, name, entry{header: tar.Header{Typeflag: tar.TypeSymlink, Linkname: source.from, Mode: 0o777}})
		return nil
	case file:
		return putFile(entries, name, source.from, source.mode)
	default:
		return putDirectory(entries, name, source.from)
	}
}

func putFile(entries map[string]entry, name, from string, mode fs.FileMode) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", from)
	}
	put(entries, name, entry{
		header:  tar.Header{Typeflag: tar.TypeReg, Size: info.Size(), Mode: tarMode(mode)},
		content: from,
	})
	return nil
}

func putDirectory(entries map[string]entry, name, from string) error {
	if from == "" {
		put(entries, name, entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}})
		return nil
	}
	return filepath.WalkDir(from, func(found string, item fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, found)
		if err != nil {
			return err
		}
		info, err := item.Info()
		if err != nil {
			return err
		}
		inside := path.Join(name, filepath.ToSlash(relative))
		switch {
		case item.IsDir():
			put(entries, inside, entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: tarMode(info.Mode())}})
			return nil
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(found)
			if err != nil {
				return err
			}
			put(entries, inside, entry{header: tar.Header{Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777}})
			return nil
		default:
			return putFile(entries, inside, found, info.Mode())
		}
	})
}

// tarMode returns a file's bits as a tar archive has them.
func tarMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for _, special := range []struct {
		flag fs.FileMode
		bit  int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if mode&special.flag != 0 {
			bits |= special.bit
		}
	}
	return bits
}

func put(entries map[string]entry, name string, added entry) {
	if name == "" || name == "." {
		return
	}
	for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
		if _, ok := entries[parent]; !ok {
			entries[parent] = entry{header: tar.Header{Typeflag: tar.TypeDir, Mode: 0o755, Name: parent + "/"}}
		}
	}
	added.header.Name = name
	if added.header.Typeflag == tar.TypeDir {
		added.header.Name += "/"
	}
	entries[name] = added
}

func writeEntry(writer *tar.Writer, member entry) error {
	header := member.header
	header.ModTime = time.Unix(0, 0)
	if err := writer.WriteHeader(&header); err != nil {
		return err
	}
	if member.content == "" {
		return nil
	}
	content, err := os.Open(member.content)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	_, err = io.Copy(writer, content)
	return err
}
