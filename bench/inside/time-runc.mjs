/**
 * Times the creation and deletion of a container by plain runc and by runc with the OCI adapter,
 * in turns, and prints the medians in milliseconds as JSON. The container is a copy of a running pod's
 * first one, in a cgroup of its own; it is created, never started.
 * To be run in the mount and pid namespaces of the node.
 * Arguments: directory of the programs, directory of the node, number of turns.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const limitMs = 60_000;
const [programs, node, turns] = process.argv.slice(2);
/** Where containerd keeps the bundles of what runs. */
const tasks = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
const candidates = { runc: join(programs, "runc"), adapter: join(node, "bin/sandkube-runc") };

const scratch = mkdtempSync(join(tmpdir(), "bench-runc-"));
const bundle = join(scratch, "bundle");
const state = join(scratch, "state");
mkdirSync(bundle);
mkdirSync(state);

function configuration() {
  for (const name of readdirSync(tasks)) {
    const config = JSON.parse(readFileSync(join(tasks, name, "config.json"), "utf8"));
    if (config.annotations["io.kubernetes.cri.container-type"] !== "sandbox") continue;
    config.root.path = join(tasks, name, "rootfs");
    config.linux.cgroupsPath = `${config.linux.cgroupsPath}-bench`;
    return JSON.stringify(config);
  }
  throw new Error(`no pod's first container in ${tasks}`);
}

/** Both get what the adapter sets where a sandbox needs it. */
const env = { ...process.env, SANDKUBE_ANY_PROC_ROOT: "1" };

function timed(program, ...args) {
  const begun = performance.now();
  execFileSync(program, ["--root", state, ...args], { env, stdio: "ignore", timeout: limitMs });
  return performance.now() - begun;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const config = configuration();
const times = { runc: { create: [], delete: [] }, adapter: { create: [], delete: [] } };
try {
  for (let turn = 0; turn < Number(turns); turn += 1) {
    for (const [name, program] of Object.entries(candidates)) {
      writeFileSync(join(bundle, "config.json"), config);
      times[name].create.push(timed(program, "create", "--bundle", bundle, "bench"));
      times[name].delete.push(timed(program, "delete", "--force", "bench"));
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const medians = Object.fromEntries(
  Object.entries(times).map(([name, { create, delete: remove }]) => [
    name,
    { createMs: median(create), deleteMs: median(remove) },
  ]),
);
process.stdout.write(`${JSON.stringify(medians)}\n`);
