package imagestore

import (
	"archive/tar"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sandkube.dev/upstream/containerd/refusal"
)

// fileTree is what a layer is made of. Its files belong to root and have no times, so
// that the layer's digest depends on names, permissions and contents alone.
type fileTree struct {
	source    string
	entries   []fileEntry // parents before what is in them
	sizeBytes int64
	// program is the path in the image of the only file; empty for a directory.
	program string
}

type fileEntry struct {
	from   string // path on this machine; empty when there is no content to copy
	header tar.Header
}

// collectFiles looks at a directory, whose content becomes the root, or at one file,
// which becomes a program in it.
func collectFiles(source string) (*fileTree, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, refusal.New(refusal.Invalid, "the files can not be read: %v", err)
	}
	tree := &fileTree{source: source}
	switch {
	case info.IsDir():
		return tree, tree.addDirectory()
	case info.Mode().IsRegular():
		name := filepath.Base(source)
		tree.program = "/" + name
		tree.add(source, tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: info.Size()})
		return tree, nil
	default:
		return nil, refusal.New(refusal.Invalid, "%s is neither a directory nor a file", source)
	}
}

func (t *fileTree) add(from string, header tar.Header) {
	header.ModTime = time.Unix(0, 0)
	header.Format = tar.FormatPAX
	t.entries = append(t.entries, fileEntry{from: from, header: header})
	t.sizeBytes += header.Size
}

func (t *fileTree) addDirectory() error {
	firstLink := map[uint64]string{} // by inode
	err := filepath.WalkDir(t.source, func(found string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(t.source, found)
		if err != nil || relative == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return t.addFound(found, filepath.ToSlash(relative), info, firstLink)
	})
	if err != nil && !refusal.Is(err) {
		return refusal.New(refusal.Invalid, "the files can not be read: %v", err)
	}
	return err
}

func (t *fileTree) addFound(found, name string, info fs.FileInfo, firstLink map[uint64]string) error {
	if strings.HasPrefix(path.Base(name), ".wh.") {
		return refusal.New(refusal.Invalid, "%s can not be in an image: a name that begins with .wh. means that a file is removed", found)
	}
	mode := permissions(info.Mode())
	switch {
	case info.IsDir():
		t.add("", tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(found)
		if err != nil {
			return err
		}
		t.add("", tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
	case info.Mode().IsRegular():
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
			if first, seen := firstLink[stat.Ino]; seen {
				t.add("", tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: first, Mode: mode})
				return nil
			}
			firstLink[stat.Ino] = name
		}
		t.add(found, tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size()})
	default:
		return refusal.New(refusal.Invalid, "%s can not be in an image: it is neither a file, a directory nor a link", found)
	}
	return nil
}

// permissions are a file's bits in the form of tar.
func permissions(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for flag, bit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// write writes the files as a tar stream.
func (t *fileTree) write(out io.Writer) error {
	writer := tar.NewWriter(out)
	for _, entry := range t.entries {
		if err := writeEntry(writer, entry); err != nil {
			return fmt.Errorf("%s: %w", entry.header.Name, err)
		}
	}
	return writer.Close()
}

func writeEntry(writer *tar.Writer, entry fileEntry) error {
	if err := writer.WriteHeader(&entry.header); err != nil {
		return err
	}
	if entry.from == "" {
		return nil
	}
	file, err := os.Open(entry.from)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	// A file that grows meanwhile is taken as it was looked at.
	_, err = io.CopyN(writer, file, entry.header.Size)
	return err
}

// dynamicLoader is the interpreter that a program names; empty for a static one and for
// what is no program.
func dynamicLoader(program string) string {
	file, err := elf.Open(program)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			name, err := io.ReadAll(segment.Open())
			if err != nil {
				return ""
			}
			return strings.TrimRight(string(name), "\x00")
		}
	}
	return ""
}
