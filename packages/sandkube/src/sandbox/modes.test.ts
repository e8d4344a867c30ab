import { describe, expect, it } from "vitest";
import { chooseMode, modesOf } from "./modes.js";
import { factsWith, recordedFacts, recordedNames } from "./testing/recorded-facts.js";
import type { Facts } from "./facts.js";

function missingFor(facts: Facts): string[] {
  const full = modesOf(facts).find(({ mode }) => mode === "full");
  return (full?.missing ?? []).map(({ need }) => need);
}

function hostNetworkReport(facts: Facts) {
  return modesOf(facts).find(({ mode }) => mode === "host-network");
}

const unprivileged = recordedFacts("unprivileged");

describe("modesOf", () => {
  const withoutPodNetworks = recordedNames().filter((name) => /no-net-admin|host$/.test(name));
  const withPodNetworks = recordedNames().filter(
    (name) => name !== "unprivileged" && !withoutPodNetworks.includes(name),
  );

  it.each(withPodNetworks)("allows every mode in %s", (sandbox) => {
    expect(modesOf(recordedFacts(sandbox))).toEqual([
      { mode: "full", allowed: true, missing: [] },
      { mode: "host-network", allowed: true, missing: [] },
      { mode: "control-plane", allowed: true, missing: [] },
    ]);
  });

  it.each(withoutPodNetworks)("allows a node without pod networks in %s", (sandbox) => {
    expect(modesOf(recordedFacts(sandbox)).map(({ mode, allowed }) => [mode, allowed])).toEqual([
      ["full", false],
      ["host-network", true],
      ["control-plane", true],
    ]);
  });

  it.each(["CAP_SYS_ADMIN", "CAP_NET_ADMIN"])("does not take root without %s", (capability) => {
    const { capabilities } = recordedFacts("full-kernel").system;
    const others = capabilities.filter((name) => name !== capability);
    expect(missingFor(factsWith({}, { capabilities: others }))).toEqual([capability]);
  });

  it("names privileges only, as the rest follows from them", () => {
    expect(missingFor(unprivileged)).toEqual(["root", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"]);
    expect(hostNetworkReport(unprivileged)?.missing.map(({ need }) => need)).toEqual([
      "root",
      "CAP_SYS_ADMIN",
    ]);
  });

  it.each([
    ["namespace.mount", ["control-plane"]],
    ["namespace.pid", ["control-plane"]],
    ["mount.tmpfs", ["control-plane"]],
    ["mount.bind", ["control-plane"]],
    ["mount.proc", ["control-plane"]],
    ["mount.bind-over-proc-sys", ["control-plane"]],
    ["namespace.network", ["host-network", "control-plane"]],
    ["network.bridge", ["host-network", "control-plane"]],
    ["network.veth", ["host-network", "control-plane"]],
    ["network.bridge-port", ["host-network", "control-plane"]],
    ["network.veth-into-namespace", ["host-network", "control-plane"]],
    ["network.loopback-range", ["full", "control-plane"]],
  ] as const)("without %s allows %s", (id, allowed) => {
    const reports = modesOf(factsWith({ [id]: { state: "timeout" } }));
    expect(reports.flatMap((report) => (report.allowed ? [report.mode] : []))).toEqual(allowed);
    for (const { missing } of reports.filter((report) => !report.allowed)) {
      expect(missing).toMatchObject([
        { kind: "sandbox", evidence: expect.stringContaining(`${id}: timeout`) },
      ]);
    }
  });

  it("needs an address for host-network mode", () => {
    expect(hostNetworkReport(factsWith({}, { addresses: [] }))).toMatchObject({
      allowed: false,
      missing: [{ need: "an IPv4 address beside the loopback one" }],
    });
  });

  it.each([
    ["cgroup2 mounted", "v2", "", true],
    ["all controllers mounted", "cpu,cpuacct,cpuset,devices,memory,pids", "", true],
    ["all controllers mountable", "none", "cpu,cpuacct,cpuset,devices,memory,pids", true],
    ["some mounted, all mountable", "cpu", "cpu,cpuacct,cpuset,devices,memory,pids", true],
    ["some mounted, some mountable", "cpu", "cpu,memory", false],
    ["nothing", "none", "", false],
  ])("needs cgroups: %s", (_name, mounted, mountable, allowed) => {
    const facts = factsWith({
      "cgroup.mounted": { value: mounted },
      "cgroup.v1-mountable": { value: mountable },
    });
    expect(missingFor(facts)).toHaveLength(allowed ? 0 : 1);
  });
});

describe("chooseMode", () => {
  const noVeth = factsWith({ "network.veth": { state: "no", errno: "EOPNOTSUPP" } });

  it.each([
    ["auto", recordedFacts("g24"), "full"],
    ["node", recordedFacts("g24"), "full"],
    ["full", recordedFacts("g24"), "full"],
    ["host-network", recordedFacts("g24"), "host-network"],
    ["node", recordedFacts("g24-no-net-admin"), "host-network"],
    ["control-plane", recordedFacts("g24"), "control-plane"],
    ["auto", unprivileged, "control-plane"],
    ["control-plane", unprivileged, "control-plane"],
    ["auto", noVeth, "host-network"],
    ["node", noVeth, "host-network"],
  ] as const)("%s: %#", (asked, facts, mode) => {
    expect(chooseMode(asked, facts)).toBe(mode);
  });

  it.each([
    ["E_PRIVILEGE", unprivileged, "root (uid 1000)"],
    ["E_PRIVILEGE", unprivileged, "CAP_NET_ADMIN"],
    ["E_SANDBOX", factsWith({ "mount.bind": { state: "no", errno: "EPERM" } }), "EPERM"],
  ])("refuses a node with %s, says why and offers the control plane: %#", (code, facts, why) => {
    expect(() => chooseMode("node", facts)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(why),
        hint: expect.stringContaining("--control-plane"),
      }),
    );
  });

  it("does not take pods' networks away from a cluster that has them", () => {
    expect(() => chooseMode("full", noVeth)).toThrow(
      expect.objectContaining({
        code: "E_SANDBOX",
        message: expect.stringContaining("network.veth: no, EOPNOTSUPP"),
        hint: expect.stringContaining("keeps its mode"),
      }),
    );
  });
});
