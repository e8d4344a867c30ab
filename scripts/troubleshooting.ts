import type { ErrorCode } from "../packages/sandkube/src/errors.js";

/** What somebody sees, why that can be, and what to do next, in Markdown. */
export interface Trouble {
  readonly symptom: string;
  readonly cause: string;
  readonly next: string;
}

/** The failures that sandkube tells itself, in the order in which somebody meets them. */
export const failures: Readonly<Record<string, readonly (Trouble & { code: ErrorCode })[]>> = {
  Installation: [
    {
      code: "E_NOT_LINUX",
      symptom: "`clusters run on Linux only`",
      cause: "sandkube was started on macOS or Windows.",
      next: "Start it inside the Linux sandbox, container or virtual machine. On Windows, WSL 2 is Linux.",
    },
    {
      code: "E_ARCHITECTURE",
      symptom: "programs `for this processor` are missing, or are `for` another",
      cause:
        "There are packages for x64 and arm64; `node_modules` may have been copied from another machine.",
      next: "Install again on this machine, or set `SANDKUBE_PROGRAMS` to programs that were built for it.",
    },
    {
      code: "E_PROGRAMS_MISSING",
      symptom: "`sandkube's programs are not installed`",
      cause: "npm left optional dependencies out, or the lock file was made on another platform.",
      next: "The hint has the command that installs them. In a checkout: `npm run build:programs`.",
    },
    {
      code: "E_PROGRAMS_MISMATCH",
      symptom: "programs are `damaged` or `of version …`",
      cause: "A file changed on its way, or `sandkube` and its programs were updated apart.",
      next: "Install both of the same version; `sandkube programs verify` checks every file.",
    },
    {
      code: "E_NOT_EXECUTABLE",
      symptom: "`can not be executed where they lie`",
      cause: "The file system is mounted noexec, or a copy lost the executable bits.",
      next: "`sandkube programs install` makes a checked copy in the data directory.",
    },
  ],
  "Before anything starts": [
    {
      code: "E_USAGE",
      symptom: "`unknown option`, `missing required argument`",
      cause: "The command line is wrong.",
      next: "`sandkube COMMAND --help`. Arguments of `kubectl`, `helm` and `ctr` follow their name, sandkube's own stand before it: `sandkube --name test kubectl get pods`.",
    },
    {
      code: "E_CONFIG",
      symptom: "a setting or a variable `is invalid`",
      cause:
        "A value is out of bounds, ranges overlap each other, or a key of the file is not known.",
      next: "The message names each of them. `sandkube config check FILE` checks a file without starting anything.",
    },
    {
      code: "E_PRIVILEGE",
      symptom: "`uid … may not …`, a node is refused",
      cause: "A node mounts file systems, which wants root in the sandbox.",
      next: "Become root, or `sandkube up --control-plane`, which needs no privilege.",
    },
    {
      code: "E_SANDBOX",
      symptom: "the sandbox lacks something, though you are root",
      cause:
        "Mounts, namespaces or cgroups are withheld, as in a container without `--privileged`.",
      next: "`sandkube doctor` names each need with what was tried. `up --auto` takes what can be had.",
    },
    {
      code: "E_PORT_TAKEN",
      symptom: "`port 6443 … is taken`",
      cause: "Another cluster or program listens there; the message names it where it can be seen.",
      next: "`--api-port`, `--kubelet-port`, or end the program.",
    },
    {
      code: "E_RANGE_TAKEN",
      symptom: "a range `overlaps` a network",
      cause: "The sandbox's own network, or another cluster in it, uses the addresses.",
      next: "`--pod-range` and `--service-range`; the hint suggests free ones.",
    },
    {
      code: "E_MEMORY",
      symptom: "`too little memory`",
      cause: "The sandbox's memory, or its cgroup's limit, is below what a cluster needs.",
      next: "Give it more, or `--control-plane`. In gVisor, files in `/tmp` and on the root overlay are memory too.",
    },
    {
      code: "E_CLOCK",
      symptom: "`the clock says …`",
      cause:
        "The clock is years off, or far before the cluster's own certificates, as in a restored snapshot.",
      next: "Set the clock, or `sandkube delete` and make the cluster anew.",
    },
    {
      code: "E_DATA_DIRECTORY",
      symptom: "the data directory is full, read-only, noexec, not yours, or its path is too long",
      cause: "Clusters, images and sockets lie there.",
      next: "`--data` or `SANDKUBE_DATA` with a short path on a disk with space.",
    },
  ],
  Clusters: [
    {
      code: "E_CLUSTER_NOT_FOUND",
      symptom: "`there is no cluster …`",
      cause: "Another name, another data directory or another user made it.",
      next: "`sandkube list`; `--name`, `--data`, or the variables `SANDKUBE_CLUSTER` and `SANDKUBE_DATA`.",
    },
    {
      code: "E_CLUSTER_NOT_RUNNING",
      symptom: "`the cluster … is stopped`",
      cause: "`down`, or its processes ended with the sandbox.",
      next: "`sandkube up` resumes it with all its objects.",
    },
    {
      code: "E_CLUSTER_MISMATCH",
      symptom: "`the cluster … exists with other settings`",
      cause: "Mode, ports and ranges are kept for a cluster's life.",
      next: "Leave the options out, use another `--name`, or `sandkube delete` first.",
    },
    {
      code: "E_LOCKED",
      symptom: "`another command is working on the cluster`",
      cause: "An `up`, `down` or `delete` still runs. A killed one leaves no lock.",
      next: "Wait for it, or end it: the message has its process id.",
    },
    {
      code: "E_STATE",
      symptom: "a record `is unreadable`",
      cause: "A file in the data directory was cut short or edited.",
      next: "The message names the file. `sandkube delete` works without it.",
    },
    {
      code: "E_START",
      symptom: "a part `has ended` or did not start",
      cause: "The message names the part, what it said last, and its log.",
      next: "`sandkube up --retain` keeps what there is for a look; `sandkube logs PART`; `sandkube export logs`.",
    },
    {
      code: "E_TIMEOUT",
      symptom: "`waited … for …`",
      cause: "The machine is slow or busy, or a part keeps failing.",
      next: "`up --timeout 10m`. If that does not help, `sandkube status` says which part is not ready.",
    },
    {
      code: "E_CANCELLED",
      symptom: "exit code 130",
      cause: "Ctrl-C, or SIGTERM from whoever started the command.",
      next: "Nothing: what was made is taken back. After a second Ctrl-C or SIGKILL, the next `up`, `down` or `delete` does that.",
    },
    {
      code: "E_SERVICE",
      symptom: "`nothing is published at port …`",
      cause: "`ports unpublish` was given another port.",
      next: "`sandkube ports` shows what is published.",
    },
    {
      code: "E_INTERNAL",
      symptom: "`This is a defect in sandkube`",
      cause: "It is.",
      next: "`SANDKUBE_DEBUG=1` shows where it arose. Please report it with `sandkube export logs`.",
    },
  ],
  Images: [
    {
      code: "E_IMAGE",
      symptom: "images `can not be worked on`",
      cause: "The cluster has no node, or containerd does not answer.",
      next: "`sandkube status`, `sandkube logs containerd`.",
    },
    {
      code: "E_IMAGE_INVALID",
      symptom: "an archive is damaged or of an unknown form",
      cause:
        "It was cut short, is no image (`docker export` writes a file system), or a digest is wrong.",
      next: "Write it again with `docker save` or as an OCI layout. Nothing of it was loaded.",
    },
    {
      code: "E_IMAGE_PLATFORM",
      symptom: "the image is `for linux/…`",
      cause: "It was built on a machine with another processor.",
      next: "Build it with `--platform linux/amd64` (or arm64), or `image pull --platform`.",
    },
    {
      code: "E_IMAGE_SPACE",
      symptom: "`not enough space`",
      cause: "The data directory, or the memory that snapshots lie in, is full.",
      next: "`sandkube image prune --all` removes what no pod uses; `sandkube doctor` says where snapshots lie.",
    },
    {
      code: "E_IMAGE_NOT_FOUND",
      symptom: "`the node has no image …`",
      cause: "A name without its tag or registry is another name.",
      next: "`sandkube image list` has the full names.",
    },
    {
      code: "E_IMAGE_IN_USE",
      symptom: "`pods use …`",
      cause: "A container of it runs.",
      next: "Delete the pods, or `image rm --force` for the name alone.",
    },
  ],
  Registries: [
    {
      code: "E_REGISTRY_NOT_FOUND",
      symptom: "404, `has no image`",
      cause: "A wrong name or tag; some registries say so of private images too.",
      next: "`sandkube doctor --registry REF` goes the way step by step, here and for all that follows.",
    },
    {
      code: "E_REGISTRY_AUTH",
      symptom: "401 or 403 from the registry",
      cause: "It wants an account, or another one.",
      next: "`image pull --creds-stdin`, registries.yaml, or docker's config.json.",
    },
    {
      code: "E_REGISTRY_RATE_LIMIT",
      symptom: "429",
      cause: "Too many pulls from this address without an account.",
      next: "An account, a mirror in registries.yaml, or `image load`.",
    },
    {
      code: "E_EGRESS_REFUSED",
      symptom: "a proxy answers 403 or an HTML page",
      cause:
        "The sandbox's operator allows some hosts only. Layers often come from another host than the registry.",
      next: "Ask for the host that the message names, or use a mirror that is allowed.",
    },
    {
      code: "E_TLS_UNTRUSTED",
      symptom: "`certificate … is not trusted`",
      cause: "A proxy intercepts TLS with a CA of its own, or the registry has one.",
      next: "`SSL_CERT_FILE` with that CA before `up`, or `ca_file` in registries.yaml.",
    },
    {
      code: "E_REGISTRY_UNREACHABLE",
      symptom: "a name is not found, a connection times out",
      cause: "The sandbox has no way out, or one by a proxy that the variables do not name.",
      next: "`HTTPS_PROXY` before `up`; `sandkube doctor` shows what was found. Without any way: `image load`.",
    },
    {
      code: "E_REGISTRY",
      symptom: "the registry answers with a server error",
      cause: "It is broken or busy.",
      next: "Try again later, or another mirror.",
    },
  ],
};

/** What goes wrong in a cluster that runs, where Kubernetes tells and sandkube gives no error. */
export const inTheCluster: readonly Trouble[] = [
  {
    symptom: "A pod stays `Pending`",
    cause: "No node has room, a claim has no volume, or the cluster has no node at all.",
    next: "`sandkube kubectl describe pod POD`: its events say which.",
  },
  {
    symptom: "`ErrImageNeverPull`, `ErrImagePull`, `ImagePullBackOff`",
    cause: "The image is not in the node under that very name, or no registry gives it.",
    next: "`sandkube kubectl describe pod POD`: its events tell the cause and what helps; `sandkube image list` has the names that are there.",
  },
  {
    symptom: "A pod pulls an image that was loaded",
    cause: "`imagePullPolicy` is `Always`, the default for `:latest` and for no tag.",
    next: "Another tag, or `imagePullPolicy: IfNotPresent`.",
  },
  {
    symptom: "`OOMKilled` never comes, a CPU limit has no effect",
    cause: "gVisor enforces no limits inside a sandbox: adaptation `advisory-limits`.",
    next: "`sandkube explain advisory-limits`.",
  },
  {
    symptom: "A Service does not answer",
    cause: "It has no endpoint that is ready, or its name is asked from outside of the cluster.",
    next: "`sandkube kubectl get endpointslices`; `sandkube ports` has the addresses that work from the sandbox.",
  },
  {
    symptom: "A pod reaches nothing outside, or only by name",
    cause: "The sandbox itself has only a proxy.",
    next: "`sandkube up --proxy-pods` tells pods of it.",
  },
  {
    symptom: "A second replica ends with `address already in use`",
    cause: "Pods share the node's network: host-network mode.",
    next: "`sandkube status` says so; docs/known-limits.md has what to do.",
  },
  {
    symptom: "A client's address in a log is the node's",
    cause: "Services pass a proxy in user space.",
    next: "docs/known-limits.md.",
  },
  {
    symptom: "All is slow",
    cause: "Memory or CPU is short: gVisor keeps its root overlay and snapshots in memory.",
    next: "`sandkube status`, `sandkube kubectl get --raw /api/v1/nodes/node-1/proxy/stats/summary`, `sandkube image prune --all`.",
  },
];
