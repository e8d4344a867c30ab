import type { Patch } from "./patch.js";

const reason =
  "Each system call costs many times as much in a sandbox as on a bare kernel. Of 16 that containerd " +
  "makes for each file of a layer, 7 are of no use: the parent directory is looked up anew for each file " +
  "in it, one call for each part of its path; a file's mode is set twice; and Go's own way to open a file " +
  "asks six times whether it is a regular one. An image is then unpacked half as fast as by tar.";

const upstream = "https://github.com/containerd/containerd/blob/v2.2.1/pkg/archive/tar.go";

const removeWhen =
  "`npm run bench -- --images` shows no difference without it, or containerd asks for less itself";

/** The patches by which containerd makes fewer system calls for each file that it unpacks. */
export const unpacking: readonly Patch[] = [
  {
    id: "unpacking-parent-looked-up-once",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/archive/tar.go",
    edits: [
      {
        find: "\t// Iterate through the files in the archive.\n\tfor {\n",
        replace:
          "\t// The parent directory of the entry before, if that was a regular file: nothing has\n" +
          "\t// changed that its path leads through.\n" +
          "\tvar (\n" +
          "\t\tknown        bool\n" +
          "\t\tgiven, found string\n" +
          "\t)\n\n" +
          "\t// Iterate through the files in the archive.\n\tfor {\n",
      },
      {
        find: "\t\tppath, base := filepath.Split(hdr.Name)\n\t\tppath, err = fs.RootPath(root, ppath)\n",
        replace:
          "\t\tppath, base := filepath.Split(hdr.Name)\n" +
          "\t\tgivenPath := ppath\n" +
          "\t\tisKnown := known && ppath == given\n" +
          "\t\tknown = false\n" +
          "\t\tif isKnown {\n" +
          "\t\t\tppath = found\n" +
          "\t\t} else {\n" +
          "\t\t\tppath, err = fs.RootPath(root, ppath)\n" +
          "\t\t}\n",
      },
      {
        find: "\t\tif ppath != root {\n\t\t\tparentPath := ppath\n",
        replace: "\t\tif ppath != root && !isKnown {\n\t\t\tparentPath := ppath\n",
      },
      {
        find: "\t\tunpackedPaths[path] = struct{}{}\n\t}\n",
        replace:
          "\t\tunpackedPaths[path] = struct{}{}\n" +
          "\t\tif hdr.Typeflag == tar.TypeReg {\n" +
          "\t\t\tknown, given, found = true, givenPath, ppath\n" +
          "\t\t}\n\t}\n",
      },
      {
        find: "\tif err := lchmod(path, hdrInfo.Mode()); err != nil {\n",
        replace:
          "\tchmod := lchmod\n" +
          "\tif hdr.Typeflag == tar.TypeReg {\n" +
          "\t\tchmod = os.Chmod\n" +
          "\t}\n" +
          "\tif err := chmod(path, hdrInfo.Mode()); err != nil {\n",
      },
    ],
    reason,
    upstream,
    removeWhen,
  },
  {
    id: "unpacking-open-without-questions",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/archive/tar_unix.go",
    edits: [
      {
        find:
          "\tf, err := os.OpenFile(name, flag, perm)\n" +
          "\tif err != nil {\n\t\treturn nil, err\n\t}\n" +
          "\t// Call chmod to avoid permission mask\n" +
          "\tif err := os.Chmod(name, perm); err != nil {\n\t\tf.Close()\n\t\treturn nil, err\n\t}\n" +
          "\treturn f, err\n",
        replace:
          "\t// The caller sets the mode when it has set the owner.\n" +
          "\tfor {\n" +
          "\t\tfd, err := unix.Open(name, flag|unix.O_CLOEXEC, 0o600)\n" +
          "\t\tif err == unix.EINTR {\n\t\t\tcontinue\n\t\t}\n" +
          "\t\tif err != nil {\n" +
          '\t\t\treturn nil, &os.PathError{Op: "open", Path: name, Err: err}\n' +
          "\t\t}\n" +
          "\t\treturn os.NewFile(uintptr(fd), name), nil\n" +
          "\t}\n",
      },
    ],
    reason,
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/pkg/archive/tar_unix.go",
    removeWhen,
  },
];
