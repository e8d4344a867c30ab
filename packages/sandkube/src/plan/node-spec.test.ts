import { describe, expect, it } from "vitest";
import { parseClusterOptions, type ClusterOptionsInput } from "../config/cluster-options.js";
import type { ClusterMode } from "../events.js";
import { baseNodeSpec, bridgeName, nodeSpecSchema } from "./node-spec.js";

function specFor(options: Partial<ClusterOptionsInput> = {}, mode: ClusterMode = "full") {
  return baseNodeSpec(
    parseClusterOptions({ dataDirectory: "/d", ...options }),
    { clusterDirectory: "/d/default", programs: "/p" },
    mode,
    { addresses: ["192.0.2.7", "192.0.2.8"] },
  );
}

describe("baseNodeSpec", () => {
  it("is valid", () => {
    expect(nodeSpecSchema.parse(specFor())).toEqual(specFor());
  });

  it("has no node for the control plane alone", () => {
    const spec = specFor({}, "control-plane");
    expect(spec.node).toBeNull();
    expect(spec.nodes).toEqual([]);
    expect(spec.controlPlane.advertiseAddress).toBe("10.42.0.1");
  });

  it.each([
    ["10.42.0.0/16", "10.42.0.0/24", "10.42.0.1"],
    ["172.30.4.0/24", "172.30.4.0/24", "172.30.4.1"],
    ["192.0.0.0/8", "192.0.0.0/24", "192.0.0.1"],
  ])("gives the node of %s the range %s and the address %s", (podRange, nodeRange, address) => {
    expect(specFor({ podRange })).toMatchObject({
      controlPlane: { podRange, advertiseAddress: address },
      nodes: [{ podRange: nodeRange, address }],
    });
  });

  it("gives each of several nodes a name, a range, an address and a cgroup of its own", () => {
    const { nodes, controlPlane } = specFor({ name: "two", podRange: "10.52.0.0/16", nodes: 3 });
    expect(nodes).toEqual([
      {
        name: "node-1",
        address: "10.52.0.1",
        podRange: "10.52.0.0/24",
        cgroupRoot: "/sandkube/two/node-1",
      },
      {
        name: "node-2",
        address: "10.52.1.1",
        podRange: "10.52.1.0/24",
        cgroupRoot: "/sandkube/two/node-2",
      },
      {
        name: "node-3",
        address: "10.52.2.1",
        podRange: "10.52.2.0/24",
        cgroupRoot: "/sandkube/two/node-3",
      },
    ]);
    expect(controlPlane.advertiseAddress).toBe("10.52.0.1");
  });

  it.each([
    ["10.42.0.0/16", "10.42.0.254", "10.42.0.253"],
    ["172.30.4.0/24", "172.30.4.254", "172.30.4.253"],
  ])(
    "finds Services and the gateway at the end of the node's part of %s",
    (podRange, services, gateway) => {
      expect(specFor({ podRange }).node?.network).toMatchObject({
        serviceAddress: services,
        gatewayAddress: gateway,
      });
    },
  );

  it.each([
    ["10.43.0.0/16", "10.43.0.10"],
    ["10.99.1.16/28", "10.99.1.26"],
  ])("gives the DNS the tenth address of %s", (serviceRange, address) => {
    expect(specFor({ serviceRange }).node?.network.dnsAddress).toBe(address);
  });

  it("has the sandbox's address and no links in host-network mode", () => {
    const spec = specFor({}, "host-network");
    expect(nodeSpecSchema.parse(spec)).toEqual(spec);
    expect(spec).toMatchObject({
      controlPlane: { advertiseAddress: "192.0.2.7", serviceRange: "127.43.0.0/16" },
      nodes: [{ address: "192.0.2.7" }],
      node: {
        network: {
          mode: "host",
          bridge: "",
          serviceAddress: "",
          gatewayAddress: "",
          dnsAddress: "127.43.0.10",
        },
      },
    });
  });

  it.each([
    ["10.99.0.0/16", "127.99.0.0/16"],
    ["172.16.0.0/12", "127.16.0.0/12"],
    ["192.168.4.16/28", "127.168.4.16/28"],
  ])("has the Service range %s at %s in host-network mode", (serviceRange, loopbackRange) => {
    const spec = specFor({ serviceRange }, "host-network");
    expect(spec.controlPlane.serviceRange).toBe(loopbackRange);
  });

  it.each(["10.0.0.0/16", "10.0.0.0/12", "10.0.7.0/24"])(
    "refuses the Service range %s in host-network mode",
    (serviceRange) => {
      expect(() => specFor({ serviceRange }, "host-network")).toThrow(
        expect.objectContaining({ code: "E_RANGE_TAKEN" }),
      );
    },
  );

  it("keeps clusters in one sandbox apart", () => {
    expect(specFor({ name: "two", apiPort: 7443, kubeletPort: 11250 })).toMatchObject({
      cluster: { name: "two" },
      controlPlane: { port: 7443 },
      node: {
        kubeletPort: 11250,
        network: { bridge: bridgeName("two") },
      },
      nodes: [{ cgroupRoot: "/sandkube/two/node-1" }],
    });
  });
});

describe("bridgeName", () => {
  it("is readable for the default cluster", () => {
    expect(bridgeName("default")).toBe("sandkube0");
  });

  it.each(["a", "two", "a-name-of-thirty-two-characters-"])("fits IFNAMSIZ for %s", (name) => {
    expect(bridgeName(name)).toMatch(/^sk-[0-9a-f]{8}$/);
    expect(bridgeName(name)).not.toBe(bridgeName(`${name}x`));
  });
});

describe("nodeSpecSchema", () => {
  it("refuses unknown fields, as the runtime does", () => {
    expect(nodeSpecSchema.safeParse({ ...specFor(), colour: "red" }).success).toBe(false);
  });
});
