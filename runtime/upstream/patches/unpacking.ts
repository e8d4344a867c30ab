import type { Patch } from "./patch.js";

const reason =
  "Each system call costs many times as much in a sandbox as on a bare kernel, and one with a long path " +
  "still more. Of 16 that containerd makes for each file of a layer, 10 are of no use: the parent " +
  "directory is looked up anew for each file in it, one call for each part of its path; the file itself " +
  "is looked up before it is made; its mode is set twice; and Go's own way to open a file asks six times " +
  "whether it is a regular one. Five of the others have the whole path again. Large files are written in " +
  "pieces of 32 KiB.";

const upstream = "https://github.com/containerd/containerd/blob/v2.2.1/pkg/archive/tar.go";

const removeWhen =
  "`npm run bench -- --images` shows no difference without it, or containerd asks for less itself";

/** The patches by which containerd unpacks layers with less effort. */
export const unpacking: readonly Patch[] = [
  {
    id: "unpacking-parent-looked-up-once",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/archive/tar.go",
    edits: [
      {
        find: "\t// Iterate through the files in the archive.\n\tfor {\n",
        replace:
          "\tparent := parentDirectory{fd: -1}\n\tdefer parent.close()\n\n" +
          "\t// Iterate through the files in the archive.\n\tfor {\n",
      },
      {
        find: "\t\tppath, base := filepath.Split(hdr.Name)\n\t\tppath, err = fs.RootPath(root, ppath)\n",
        replace: `		ppath, base := filepath.Split(hdr.Name)
		givenPath := ppath
		isKnown := parent.is(givenPath)
		if isKnown {
			ppath = parent.found
		} else {
			ppath, err = fs.RootPath(root, ppath)
		}
`,
      },
      {
        find: "\t\tif ppath != root {\n\t\t\tparentPath := ppath\n",
        replace: "\t\tif ppath != root && !isKnown {\n\t\t\tparentPath := ppath\n",
      },
      {
        find: "\t\t// If path exits we almost always just want to remove and replace it.\n",
        replace: `		if hdr.Typeflag == tar.TypeReg {
			created, err := parent.createRegular(ctx, path, hdr, tr, options.NoSameOwner)
			if err != nil {
				return 0, err
			}
			if created {
				unpackedPaths[path] = struct{}{}
				parent.keep(givenPath, ppath)
				continue
			}
		}
		// If path exits we almost always just want to remove and replace it.
`,
      },
      { find: "make([]byte, 32*1024)", replace: "make([]byte, 256*1024)" },
    ],
    reason,
    upstream,
    removeWhen,
  },
  {
    id: "unpacking-regular-files-at-once",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/archive/tar_unix.go",
    edits: [
      {
        find: "func mkdir(path string, perm os.FileMode) error {\n",
        replace: `// parentDirectory is the directory of the entry before, if that was a regular file: nothing has
// changed that its path leads through.
type parentDirectory struct {
	known        bool
	given, found string
	// fd is -1 unless it is open.
	fd int
}

// is says whether an entry is in the same directory, which is to be kept again.
func (p *parentDirectory) is(given string) bool {
	is := p.known && p.given == given
	if !is {
		p.close()
	}
	p.known = false
	return is
}

func (p *parentDirectory) keep(given, found string) {
	p.known, p.given, p.found = true, given, found
}

func (p *parentDirectory) close() {
	if p.fd >= 0 {
		unix.Close(p.fd)
	}
	p.fd = -1
}

// createRegular makes a regular file in the directory, unless there is something of its name or
// it has extended attributes.
func (p *parentDirectory) createRegular(ctx context.Context, path string, hdr *tar.Header, data io.Reader, noSameOwner bool) (created bool, err error) {
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, paxSchilyXattr) {
			return false, nil
		}
	}
	if p.fd < 0 {
		if p.fd, err = openat(unix.AT_FDCWD, filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC); err != nil {
			return false, &os.PathError{Op: "open", Path: filepath.Dir(path), Err: err}
		}
	}
	fd, err := openat(p.fd, filepath.Base(path), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC)
	if err == unix.EEXIST {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := fillRegular(ctx, fd, hdr, data, noSameOwner); err != nil {
		unix.Close(fd)
		return false, fmt.Errorf("failed to write %q: %w", path, err)
	}
	if err := unix.Close(fd); err != nil {
		return false, &os.PathError{Op: "close", Path: path, Err: err}
	}
	return true, nil
}

func openat(directory int, name string, flags int) (fd int, err error) {
	for {
		if fd, err = unix.Openat(directory, name, flags, 0o600); err != unix.EINTR {
			return fd, err
		}
	}
}

// descriptor writes to an open file.
type descriptor int

func (d descriptor) Write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := unix.Write(int(d), p[written:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

// fillRegular writes a file's content, and sets its owner and then, since that can change it,
// its mode, and then its times.
func fillRegular(ctx context.Context, fd int, hdr *tar.Header, data io.Reader, noSameOwner bool) error {
	if _, err := copyBuffered(ctx, descriptor(fd), data); err != nil {
		return err
	}
	if !noSameOwner {
		if err := unix.Fchown(fd, hdr.Uid, hdr.Gid); err != nil {
			return fmt.Errorf("owner %d:%d: %w", hdr.Uid, hdr.Gid, err)
		}
	}
	if err := unix.Fchmod(fd, uint32(hdr.Mode&0o7777)); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	times := [2]unix.Timespec{
		unix.NsecToTimespec(boundTime(latestTime(hdr.AccessTime, hdr.ModTime)).UnixNano()),
		unix.NsecToTimespec(boundTime(hdr.ModTime).UnixNano()),
	}
	// Without a path, utimensat(2) is about the descriptor.
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("times: %w", errno)
	}
	return nil
}

func mkdir(path string, perm os.FileMode) error {
`,
      },
      { find: '\t"archive/tar"\n', replace: '\t"archive/tar"\n\t"context"\n' },
      { find: '\t"fmt"\n', replace: '\t"fmt"\n\t"io"\n' },
      { find: '\t"os"\n', replace: '\t"os"\n\t"path/filepath"\n' },
      { find: '\t"syscall"\n', replace: '\t"syscall"\n\t"unsafe"\n' },
    ],
    reason,
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/pkg/archive/tar_unix.go",
    removeWhen,
  },
  {
    id: "unpacking-digest-known",
    module: "github.com/containerd/containerd/v2",
    file: "core/diff/apply/apply.go",
    edits: [
      {
        find: "\trc := &readCounter{\n\t\tr: io.TeeReader(processor, digester.Hash()),\n\t}\n",
        replace:
          "\trc := &readCounter{\n\t\tr: io.TeeReader(processor, digester.Hash()),\n\t}\n" +
          "\t// The processor may give the blob as it is: then its digest is known.\n" +
          "\tfound := digester.Digest\n" +
          "\tstored, is := processor.(interface{ IsStored() bool })\n" +
          "\tif is && len(processors) == 2 && stored.IsStored() && desc.Digest.Algorithm() == digest.Canonical {\n" +
          "\t\trc.r = processor\n" +
          "\t\tfound = func() digest.Digest { return desc.Digest }\n" +
          "\t}\n",
      },
      {
        find: "\t\tDigest:    digester.Digest(),\n",
        replace: "\t\tDigest:    found(),\n",
      },
    ],
    reason:
      "A layer that is not compressed has the digest of its blob, which the content store has checked " +
      "when the blob came. To compute it again takes as long as a fifth of the unpacking.",
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/core/diff/apply/apply.go",
    removeWhen,
  },
];
