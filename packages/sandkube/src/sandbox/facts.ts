import { z } from "zod";
import { SandkubeError } from "../errors.js";

/** Every fact that the probe establishes about a sandbox; docs/adaptations.md says what each decides. */
export const factIds = [
  "namespace.mount",
  "namespace.pid",
  "namespace.network",
  "namespace.uts",
  "namespace.ipc",
  "namespace.cgroup",
  "namespace.user",
  "setns.pid",
  "mount.tmpfs",
  "mount.bind",
  "mount.proc",
  "mount.propagation-private",
  "mount.propagation-shared",
  "mount.bind-over-proc-sys",
  "mount.tmpfs-inode-options",
  "mount.file-bind-by-program",
  "overlay.upper-on-data",
  "overlay.upper-on-tmpfs",
  "cgroup.mounted",
  "cgroup.v1-mountable",
  "cgroup.v2",
  "cgroup.memory-enforced",
  "proc-sys.kernel/panic",
  "proc-sys.kernel/panic_on_oops",
  "proc-sys.kernel/keys/root_maxkeys",
  "proc-sys.kernel/keys/root_maxbytes",
  "proc-sys.vm/overcommit_memory",
  "proc-sys.vm/panic_on_oom",
  "proc-sys.kernel/cap_last_cap",
  "proc-sys.kernel/shm_rmid_forced",
  "proc-sys.net/ipv4/ip_unprivileged_port_start",
  "proc-sys.net/ipv4/ping_group_range",
  "procfs.root-inode",
  "device.kmsg",
  "seccomp.filter",
  "keyring.session",
  "keyring.reclaimed",
  "oom-score.lower",
  "process.pidfd",
  "network.bridge",
  "network.veth",
  "network.bridge-port",
  "network.veth-into-namespace",
  "network.raw-socket",
  "network.tap-port",
  "network.iptables",
  "network.loopback-range",
] as const;

export type FactId = (typeof factIds)[number];

export const factStateSchema = z
  .enum(["yes", "no", "timeout", "crash", "skipped"])
  .describe(
    "yes: it works or is present; timeout: the attempt hung; crash: the attempt was killed by a signal; skipped: it could not be tried",
  );

export type FactState = z.infer<typeof factStateSchema>;

export const factSchema = z.strictObject({
  state: factStateSchema,
  errno: z.string().optional().describe("name of the error number, such as EINVAL"),
  detail: z.string().optional().describe("what was tried and what came"),
  value: z.string().optional(),
  elapsedMs: z.number().nonnegative(),
});

export type Fact = z.infer<typeof factSchema>;

export const systemSchema = z.strictObject({
  kernelRelease: z.string().describe("for people only: nothing is decided on it"),
  uid: z.number().int().nonnegative(),
  capabilities: z.array(z.string()).describe("effective capabilities, such as CAP_SYS_ADMIN"),
  memoryTotalBytes: z.number().int().nonnegative(),
  memoryAvailableBytes: z.number().int().nonnegative().describe("0: the sandbox does not tell"),
  cpuCount: z.number().int().positive(),
  rootFilesystem: z.string(),
  dataFilesystem: z.string(),
  dataFreeBytes: z.number().int().nonnegative().describe("0: the sandbox does not tell"),
  defaultRouteMtu: z
    .number()
    .int()
    .positive()
    .nullable()
    .describe("bytes; null without a default route"),
  defaultRouteDevice: z.string().nullable(),
  addresses: z
    .array(z.ipv4())
    .describe(
      "of the links, without loopback and link-local ones; first those of the default route's link",
    ),
  bootId: z.string(),
});

export type System = z.infer<typeof systemSchema>;

/** The output of `sandkube-oci probe`: every fact is there, tried or not. */
export const factsSchema = z.strictObject({
  schema: z.literal(1),
  system: systemSchema,
  facts: z.record(z.enum(factIds), factSchema),
});

export type Facts = z.infer<typeof factsSchema>;

/** Parses the probe's output. Throws E_PROGRAMS_MISMATCH when it has another shape. */
export function parseFacts(json: string): Facts {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new SandkubeError("E_PROGRAMS_MISMATCH", "the probe's output is not JSON", { cause });
  }
  const parsed = factsSchema.safeParse(document);
  if (!parsed.success) {
    throw new SandkubeError(
      "E_PROGRAMS_MISMATCH",
      `the probe's output is not what this version reads: ${z.prettifyError(parsed.error)}`,
      { hint: "Rebuild or reinstall sandkube's programs.", cause: parsed.error },
    );
  }
  return parsed.data;
}

export function factOf(facts: Facts, id: FactId): Fact {
  return facts.facts[id];
}

/** Whether the probe saw it work: a refusal, a hang, a crash and an untried fact all count as no. */
export function works(facts: Facts, id: FactId): boolean {
  return facts.facts[id].state === "yes";
}

/** Whether the probe tried it and it did not work. */
export function fails(facts: Facts, id: FactId): boolean {
  const { state } = facts.facts[id];
  return state !== "yes" && state !== "skipped";
}

/** The items of a fact whose value is a comma list; empty without a value. */
export function listOf(facts: Facts, id: FactId): string[] {
  const value = facts.facts[id].value ?? "";
  return value.split(",").flatMap((item) => (item.trim() === "" ? [] : [item.trim()]));
}
