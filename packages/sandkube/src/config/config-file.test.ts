import { describe, expect, test } from "vitest";
import { SandkubeError } from "../errors.js";
import { parseConfigFile } from "./config-file.js";

const head = "apiVersion: sandkube.dev/v1alpha1\nkind: Cluster\n";

test("a configuration gives its options, and nothing for what it leaves out", () => {
  const text = `${head}name: test
nodes: 2
apiPort: 7443
podRange: 10.50.0.0/16
publish: ["8080:default/web:80"]
`;
  expect(parseConfigFile(text, "cluster.yaml")).toEqual({
    options: { name: "test", nodes: 2, apiPort: 7443, podRange: "10.50.0.0/16" },
    publish: ["8080:default/web:80"],
    ignored: [],
  });
  expect(parseConfigFile(head, "-")).toEqual({ options: {}, publish: [], ignored: [] });
});

test.each([
  { text: `${head}apiport: 1`, says: "apiport: there is no such setting" },
  { text: `${head}apiPort: "6443"`, says: "apiPort is a number" },
  { text: `${head}apiPort: 70000`, says: "apiPort is at most 65535" },
  { text: `${head}mode: big`, says: "mode is auto, node, full" },
  { text: `${head}podRange: 10.42.0.1/16`, says: "did you mean 10.42.0.0/16" },
  { text: `${head}publish: web`, says: "publish is a list" },
  { text: "kind: Cluster", says: "apiVersion is missing" },
  { text: "apiVersion: sandkube.dev/v2\nkind: Cluster", says: '"sandkube.dev/v2"' },
  { text: `${head}name: [`, says: "cluster.yaml is invalid" },
  { text: "", says: "not a mapping" },
  { text: "- one", says: "not a mapping" },
])("$text is refused", ({ text, says }) => {
  const refused = refusalOf(text);
  expect(refused).toMatchObject({ code: "E_CONFIG" });
  expect(refused.message).toContain(says);
});

test("every problem is named at once", () => {
  const { details } = refusalOf(`${head}apiPort: 0\nkubeletPort: 0\nother: 1\n`);
  expect(details["problems"]).toHaveLength(3);
});

describe("a configuration of kind", () => {
  const kind = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

  test("is taken for what applies, and the rest is named", () => {
    const text = `${kind}name: dev
networking:
  apiServerAddress: 127.0.0.1
  apiServerPort: 7443
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
  disableDefaultCNI: true
featureGates: {SomeGate: true}
nodes:
- role: control-plane
  image: kindest/node:v1.36.4
  extraPortMappings: []
- role: worker
  labels: {tier: backend}
`;
    expect(parseConfigFile(text, "kind.yaml")).toEqual({
      options: {
        name: "dev",
        nodes: 2,
        bindAddress: "127.0.0.1",
        apiPort: 7443,
        podRange: "10.244.0.0/16",
        serviceRange: "10.96.0.0/12",
      },
      publish: [],
      ignored: [
        "networking.disableDefaultCNI",
        "featureGates",
        "nodes[0].image",
        "nodes[0].extraPortMappings",
        "nodes[1].labels",
      ],
    });
  });

  test("is refused where a value that applies is wrong", () => {
    expect(refusalOf(`${kind}networking: {podSubnet: fd00::/64}`).message).toContain(
      "networking.podSubnet",
    );
  });

  test.each([
    ["nodes: [{role: worker}]", "0 have the role control-plane"],
    ["nodes: [{role: control-plane}, {role: control-plane}]", "2 have the role control-plane"],
    ["nodes: [{}, {}, {role: worker}]", "2 have the role control-plane"],
    [`nodes: [{}${", {role: worker}".repeat(9)}]`, "at most 9"],
  ])("is refused with %s", (nodes, says) => {
    expect(refusalOf(`${kind}${nodes}\n`).message).toContain(says);
  });
});

function refusalOf(text: string): SandkubeError {
  try {
    parseConfigFile(text, "cluster.yaml");
  } catch (error) {
    if (error instanceof SandkubeError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}
