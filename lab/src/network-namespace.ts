import { LabError } from "./errors.js";
import { requireOnHost, runOnHost, type CommandResult } from "./host-command.js";

/**
 * `sandbox`: an Ethernet device with an address and a default route; `none`: loopback alone;
 * `host`: the same as `sandbox`, but gVisor hands every call to the kernel outside, whose network
 * namespace is the one made here.
 */
export type NetworkKind = "sandbox" | "none" | "host";

/** The sandbox's side of its link. */
export interface SandboxLink {
  /** IPv4 address of eth0 inside. */
  readonly address: string;
  /** IPv4 address of this machine on that link. */
  readonly gateway: string;
}

const mtuBytes = 1500;
const commandTimeoutMs = 20_000;
const linkPrefix = "sklab";
/** Subnets of four addresses that fit into 198.18.0.0/15 (RFC 2544: networks under test). */
const subnetCount = 2 ** 15;

/**
 * Makes a network namespace, and for `sandbox` a veth pair from this machine into it. runsc takes
 * the addresses away from the device it is given, so every boot needs a new one.
 * Returns the addresses, or null for `none`.
 */
export async function createNetworkNamespace(
  name: string,
  network: NetworkKind,
  signal: AbortSignal,
): Promise<SandboxLink | null> {
  await ip(["netns", "add", name], signal);
  await ip(["-n", name, "link", "set", "lo", "up"], signal);
  if (network === "none") return null;
  const index = await addFreeLink(name, signal);
  const subnet = (18 << 16) + index * 4;
  const gateway = ipv4InBenchmarkRange(subnet + 1);
  const address = ipv4InBenchmarkRange(subnet + 2);
  const link = `${linkPrefix}${index}`;
  const mtu = ["mtu", `${mtuBytes}`];
  await ip(["address", "add", `${gateway}/30`, "dev", link], signal);
  await ip(["link", "set", link, ...mtu, "up"], signal);
  await ip(["-n", name, "address", "add", `${address}/30`, "dev", "eth0"], signal);
  await ip(["-n", name, "link", "set", "eth0", ...mtu, "up"], signal);
  await ip(["-n", name, "route", "add", "default", "via", gateway], signal);
  return { address, gateway };
}

/** The kernel refuses a link name that is taken, which makes the name the claim on the subnet. */
async function addFreeLink(namespace: string, signal: AbortSignal): Promise<number> {
  for (let index = 0; index < subnetCount; index += 1) {
    const peer = ["peer", "name", "eth0", "netns", namespace];
    const added = await tryIp(
      ["link", "add", `${linkPrefix}${index}`, "type", "veth", ...peer],
      signal,
    );
    if (added.exitCode === 0) return index;
    if (!added.stderr.includes("File exists")) {
      throw new LabError("E_LAB_BOOT", `cannot make a veth pair: ${added.stderr.trim()}`);
    }
  }
  throw new LabError("E_LAB_BOOT", "all subnets of the lab are in use");
}

/** The 24 low bits of an address 198.x.y.z. */
function ipv4InBenchmarkRange(low: number): string {
  return `198.${(low >> 16) & 0xff}.${(low >> 8) & 0xff}.${low & 0xff}`;
}

/** Names of all network namespaces of this machine that begin with `prefix`. */
export async function networkNamespaces(prefix: string, signal: AbortSignal): Promise<string[]> {
  const { stdout } = await tryIp(["netns", "list"], signal);
  const names = stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  return names.filter((name) => name.startsWith(prefix));
}

/** Kills what still runs in the namespace, then removes its link and its name. */
export async function deleteNetworkNamespace(name: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await tryIp(["netns", "pids", name], signal);
  for (const pid of stdout.split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
  // A namespace lives on while any process holds it; its link must not.
  await tryIp(["-n", name, "link", "delete", "eth0"], signal);
  await tryIp(["netns", "delete", name], signal);
}

function ip(args: readonly string[], signal: AbortSignal): Promise<string> {
  return requireOnHost(["ip", ...args], { signal, timeoutMs: commandTimeoutMs });
}

function tryIp(args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
  return runOnHost(["ip", ...args], { signal, timeoutMs: commandTimeoutMs });
}
