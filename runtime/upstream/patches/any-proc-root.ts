import type { Patch } from "./patch.js";

const reason =
  "runc refuses a /proc whose root is not inode 1 (PROC_ROOT_INO). In gVisor before 2025 the root of " +
  "a procfs has another number, so no container starts there. With SANDKUBE_ANY_PROC_ROOT=1, which the " +
  "OCI adapter sets in runc's own process only where the probe found such a procfs, the number is not " +
  "looked at; the check that the file system is a procfs stays.";

const removeWhen =
  "no supported sandbox has a procfs root with an inode number other than 1 " +
  "(fact procfs.root-inode), or filepath-securejoin offers a switch for it";

/** The patches that let runc accept a procfs by its type alone. */
export const anyProcRoot: readonly Patch[] = [
  {
    id: "any-proc-root-check",
    module: "github.com/cyphar/filepath-securejoin",
    file: "pathrs-lite/internal/procfs/procfs_linux.go",
    edits: [
      {
        find: "// verifyProcRoot verifies that the handle is the root of a procfs filesystem.\n",
        replace:
          'func anyProcRoot() bool { return os.Getenv("SANDKUBE_ANY_PROC_ROOT") == "1" }\n\n' +
          "// anyProcRootAtStart is for runc's init, which clears its environment.\n" +
          "var anyProcRootAtStart = anyProcRoot()\n\n" +
          "// verifyProcRoot verifies that the handle is the root of a procfs filesystem.\n",
      },
      {
        find: "} else if stat.Ino != procRootIno {",
        replace: "} else if stat.Ino != procRootIno && !anyProcRootAtStart && !anyProcRoot() {",
      },
    ],
    reason,
    upstream:
      "https://github.com/cyphar/filepath-securejoin/blob/v0.5.2/pathrs-lite/internal/procfs/procfs_linux.go",
    removeWhen,
  },
  {
    id: "any-proc-root-environment",
    module: "github.com/opencontainers/runc",
    file: "libcontainer/container_linux.go",
    edits: [
      {
        find: '\tcmd.Env = append(cmd.Env, "GOMAXPROCS="+os.Getenv("GOMAXPROCS"))\n',
        replace:
          '\tcmd.Env = append(cmd.Env, "GOMAXPROCS="+os.Getenv("GOMAXPROCS"))\n' +
          '\tcmd.Env = append(cmd.Env, "SANDKUBE_ANY_PROC_ROOT="+os.Getenv("SANDKUBE_ANY_PROC_ROOT"))\n',
      },
    ],
    reason: `${reason} runc gives its init process an environment of its own; this passes the variable on to it.`,
    upstream: "https://github.com/opencontainers/runc/blob/v1.3.6/libcontainer/container_linux.go",
    removeWhen,
  },
];
