import { describe, expect, it } from "vitest";
import { parseClusterOptions } from "../../config/cluster-options.js";
import type { ClusterMode } from "../../events.js";
import type { FactId, Facts, FactState } from "../../sandbox/facts.js";
import { factsWith, recordedFacts } from "../../sandbox/testing/recorded-facts.js";
import { adaptationIds, type AdaptationId } from "../adaptation.js";
import { baseNodeSpec, type NodeSection } from "../node-spec.js";
import { adaptationById, adaptations } from "./index.js";

const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;
const allControllers = "cpu,cpuacct,cpuset,devices,memory,pids";

function baseNode(mode: ClusterMode = "full"): NodeSection {
  const spec = baseNodeSpec(
    parseClusterOptions({ dataDirectory: "/d" }),
    { clusterDirectory: "/d/default", programs: "/p" },
    mode,
    recordedFacts("full-kernel").system,
  );
  if (spec.node === null) throw new Error(`the mode ${mode} has no node`);
  return spec.node;
}

function adaptationOf(id: AdaptationId) {
  const adaptation = adaptationById(id);
  if (adaptation === undefined) throw new Error(`${id} is not listed`);
  return adaptation;
}

/** The full kernel's facts with one in another state. */
const broken = (id: FactId, state: FactState = "no") => factsWith({ [id]: { state } });

const noCgroups = factsWith({
  "cgroup.mounted": { state: "no", value: "none" },
  "cgroup.v1-mountable": { state: "yes", value: allControllers },
});

/** overlayfs refused in the data directory, with a state on tmpfs, available memory and free disk. */
const snapshots = (
  onTmpfs: FactState,
  memoryAvailableBytes: number,
  dataFreeBytes = 64 * gibibyte,
) =>
  factsWith(
    { "overlay.upper-on-data": { state: "no" }, "overlay.upper-on-tmpfs": { state: onTmpfs } },
    { memoryAvailableBytes, dataFreeBytes },
  );

const tunables = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** A change of parts of the node section. */
type Change = { [Part in keyof NodeSection]?: Partial<NodeSection[Part]> };

/** Facts under which an adaptation applies, and exactly what it then changes. */
const applied: [AdaptationId, string, Facts, Change][] = [
  [
    "shared-pod-network",
    "there is no veth pair",
    broken("network.veth"),
    { containerd: { unprivilegedPorts: false, unprivilegedIcmp: false } },
  ],
  [
    "shared-pod-network",
    "it was asked for",
    recordedFacts("full-kernel"),
    { containerd: { unprivilegedPorts: false, unprivilegedIcmp: false } },
  ],
  [
    "cgroup-v1-mounts",
    "nothing is mounted",
    noCgroups,
    { cgroup: { mountControllers: allControllers.split(",") } },
  ],
  [
    "cgroup-v1-mounts",
    "only some controllers are mounted",
    factsWith({
      "cgroup.mounted": { value: "cpu,memory" },
      "cgroup.v1-mountable": { state: "yes", value: allControllers },
    }),
    { cgroup: { mountControllers: allControllers.split(",") } },
  ],
  [
    "sysctl-stand-ins",
    "a setting of pods is missing",
    broken("proc-sys.kernel/shm_rmid_forced"),
    { oci: { sysctlStandIns: true } },
  ],
  [
    "kernel-tunables",
    "a file is missing",
    broken("proc-sys.vm/panic_on_oom"),
    { standIns: { sysctls: tunables } },
  ],
  [
    "kernel-tunables",
    "the kubelet would write another value",
    factsWith({ "proc-sys.vm/overcommit_memory": { value: "0" } }),
    { standIns: { sysctls: tunables } },
  ],
  [
    "kernel-tunables",
    "the kubelet would lower a limit",
    factsWith({ "proc-sys.kernel/keys/root_maxkeys": { value: "2000000" } }),
    { standIns: { sysctls: tunables } },
  ],
  [
    "kernel-tunables",
    "cap_last_cap is missing too",
    factsWith({
      "proc-sys.kernel/panic": { state: "no" },
      "proc-sys.kernel/cap_last_cap": { state: "no" },
    }),
    { standIns: { sysctls: { ...tunables, "kernel/cap_last_cap": "40" } } },
  ],
  ["kmsg-stub", "it is missing", broken("device.kmsg"), { standIns: { kmsg: true } }],
  [
    "unprivileged-ports",
    "the port sysctl is missing",
    broken("proc-sys.net/ipv4/ip_unprivileged_port_start"),
    { containerd: { unprivilegedPorts: false } },
  ],
  [
    "unprivileged-ports",
    "the ping sysctl is missing",
    broken("proc-sys.net/ipv4/ping_group_range"),
    { containerd: { unprivilegedIcmp: false } },
  ],
  [
    "unprivileged-ports",
    "both are missing",
    factsWith({
      "proc-sys.net/ipv4/ip_unprivileged_port_start": { state: "no" },
      "proc-sys.net/ipv4/ping_group_range": { state: "no" },
    }),
    { containerd: { unprivilegedPorts: false, unprivilegedIcmp: false } },
  ],
  [
    "any-proc-root",
    "the inode is another",
    factsWith({ "procfs.root-inode": { state: "no", value: "86" } }),
    { oci: { anyProcRoot: true } },
  ],
  [
    "masked-directories",
    "the options are refused",
    broken("mount.tmpfs-inode-options"),
    { oci: { dropMaskedDirectories: true } },
  ],
  [
    "shared-pid-namespace",
    "setns is refused",
    broken("setns.pid"),
    { oci: { dropNamespaces: ["pid"] } },
  ],
  [
    "shared-pid-namespace",
    "setns hangs",
    broken("setns.pid", "timeout"),
    { oci: { dropNamespaces: ["pid"] } },
  ],
  [
    "no-cgroup-namespace",
    "there are none",
    broken("namespace.cgroup"),
    { oci: { dropNamespaces: ["cgroup"] } },
  ],
  [
    "no-seccomp",
    "filters crash",
    broken("seccomp.filter", "crash"),
    { oci: { dropSeccomp: true } },
  ],
  [
    "no-keyring",
    "keyctl is refused",
    broken("keyring.session"),
    { containerd: { newKeyring: false } },
  ],
  [
    "no-keyring",
    "keyrings are not given back",
    broken("keyring.reclaimed"),
    { containerd: { newKeyring: false } },
  ],
  [
    "snapshots-on-tmpfs",
    "2 GiB are the least",
    snapshots("yes", 2 * gibibyte),
    { containerd: { snapshotTmpfsBytes: 512 * mebibyte } },
  ],
  [
    "snapshots-on-tmpfs",
    "a quarter in whole MiB",
    snapshots("yes", 6 * gibibyte + 4 * mebibyte + 7),
    { containerd: { snapshotTmpfsBytes: 1537 * mebibyte } },
  ],
  [
    "snapshots-on-tmpfs",
    "8 GiB are the most",
    snapshots("yes", 256 * gibibyte),
    { containerd: { snapshotTmpfsBytes: 8 * gibibyte } },
  ],
  [
    "snapshots-on-tmpfs",
    "the disk has no room for copies, 1 GiB is the least",
    snapshots("yes", 1 * gibibyte, 2 * gibibyte - 1),
    { containerd: { snapshotTmpfsBytes: 256 * mebibyte } },
  ],
  [
    "native-snapshotter",
    "overlayfs takes no upper at all",
    snapshots("no", 64 * gibibyte),
    { containerd: { snapshotter: "native" } },
  ],
  [
    "native-snapshotter",
    "memory is too small",
    snapshots("yes", 2 * gibibyte - 1),
    { containerd: { snapshotter: "native" } },
  ],
  [
    "native-snapshotter",
    "memory is too small, and the disk is not told",
    snapshots("yes", 2 * gibibyte - 1, 0),
    { containerd: { snapshotter: "native" } },
  ],
  [
    "native-snapshotter",
    "memory and disk are too small",
    snapshots("yes", 1 * gibibyte - 1, 1 * gibibyte),
    { containerd: { snapshotter: "native" } },
  ],
  ["no-gateway", "refused", broken("network.tap-port"), { network: { gatewayAddress: "" } }],
  ["no-iptables", "refused", broken("network.iptables"), { kubelet: { iptables: false } }],
  [
    "libmount-mount2",
    "mount fails",
    broken("mount.file-bind-by-program"),
    { kubelet: { environment: { LIBMOUNT_FORCE_MOUNT2: "always" } } },
  ],
  [
    "oom-score",
    "refused",
    broken("oom-score.lower"),
    { containerd: { restrictOomScoreAdj: true } },
  ],
  ["advisory-limits", "a limit does not hold", broken("cgroup.memory-enforced"), {}],
];

/** Facts near the line under which an adaptation does not apply. */
const notApplied: [AdaptationId, string, Facts][] = [
  [
    "cgroup-v1-mounts",
    "version 2 is mounted, version 1 mountable",
    factsWith({ "cgroup.v1-mountable": { state: "yes", value: allControllers } }),
  ],
  [
    "cgroup-v1-mounts",
    "all controllers are mounted, and more",
    factsWith({ "cgroup.mounted": { value: `blkio,${allControllers}` } }),
  ],
  [
    "cgroup-v1-mounts",
    "mounting some would not be enough",
    factsWith({
      "cgroup.mounted": { state: "no", value: "none" },
      "cgroup.v1-mountable": { state: "no", value: "cpu,memory" },
    }),
  ],
  ["kernel-tunables", "only cap_last_cap is missing", broken("proc-sys.kernel/cap_last_cap")],
  [
    "kernel-tunables",
    "a value ends with a newline",
    factsWith({ "proc-sys.kernel/panic": { value: "10\n" } }),
  ],
  ["any-proc-root", "it was not tried", broken("procfs.root-inode", "skipped")],
  ["snapshots-on-tmpfs", "memory is too small", snapshots("yes", 2 * gibibyte - 1)],
  ["snapshots-on-tmpfs", "a tmpfs does not carry it", snapshots("no", 64 * gibibyte)],
  ["snapshots-on-tmpfs", "the disk carries it", broken("overlay.upper-on-tmpfs")],
  ["native-snapshotter", "a tmpfs carries it", snapshots("yes", 2 * gibibyte)],
  ["native-snapshotter", "the disk carries it", broken("overlay.upper-on-tmpfs")],
  ["libmount-mount2", "there is no mount program", broken("mount.file-bind-by-program", "skipped")],
  ["advisory-limits", "it was not tried", broken("cgroup.memory-enforced", "skipped")],
];

/** The mode in which an adaptation is tested. */
const modeFor = (id: AdaptationId): ClusterMode =>
  id === "shared-pod-network" ? "host-network" : "full";

function changed(node: NodeSection, change: Change): NodeSection {
  const parts = Object.entries(change).map(([part, values]) => {
    const before = node[part as keyof NodeSection];
    return [part, { ...(before as object), ...(values as object) }];
  });
  return { ...node, ...(Object.fromEntries(parts) as Partial<NodeSection>) };
}

describe("an adaptation applies", () => {
  it.each(applied)("%s: %s", (id, _case, facts, change) => {
    const adaptation = adaptationOf(id);
    const node = baseNode(modeFor(id));
    expect(adaptation.applies(facts, node)).not.toBeNull();
    expect(adaptation.apply(node, facts)).toEqual(changed(node, change));
  });

  it.each(applied)("%s gives its evidence: %s", (id, _case, facts) => {
    const evidence = adaptationOf(id).applies(facts, baseNode(modeFor(id))) ?? [];
    const probed = evidence.flatMap(({ fact, state }) =>
      fact === "system.memoryAvailableBytes" || fact === "system.dataFreeBytes"
        ? []
        : [{ fact, state }],
    );
    expect(probed).not.toEqual([]);
    expect(probed).toEqual(probed.map(({ fact }) => ({ fact, state: facts.facts[fact].state })));
  });

  it("is tested for each", () => {
    expect(new Set(applied.map(([id]) => id))).toEqual(new Set(adaptationIds));
  });
});

describe("an adaptation does not apply", () => {
  it.each(notApplied)("%s: %s", (id, _case, facts) => {
    expect(adaptationOf(id).applies(facts, baseNode())).toBeNull();
  });

  it.each(adaptationIds)("%s: on a full kernel", (id) => {
    expect(adaptationOf(id).applies(recordedFacts("full-kernel"), baseNode())).toBeNull();
  });

  it("no-gateway: in host-network mode, where pods use the sandbox's own ways out", () => {
    const facts = broken("network.tap-port");
    expect(adaptationOf("no-gateway").applies(facts, baseNode("host-network"))).toBeNull();
  });
});

describe("the list of adaptations", () => {
  it("has each id once, in order", () => {
    expect(adaptations.map(({ id }) => id)).toEqual([...adaptationIds]);
  });

  it.each(adaptations)("$id says why, when, what and until when", (adaptation) => {
    const { title, reason, when, effect, loses, obsoleteWhen } = adaptation;
    for (const text of [reason, when, effect, obsoleteWhen, ...(loses === null ? [] : [loses])]) {
      expect(text).toMatch(/^\S.{20,}\.$/);
    }
    expect(title).toMatch(/^\S.{10,}[^.]$/);
  });

  it.each(adaptations)("$id has an upstream link", ({ upstream }) => {
    expect(upstream.length).toBeGreaterThan(0);
    for (const link of upstream) expect(new URL(link).protocol).toBe("https:");
  });

  it("knows no other id", () => {
    expect(adaptationById("no-such-adaptation")).toBeUndefined();
  });
});
