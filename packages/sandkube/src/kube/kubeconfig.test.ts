import { expect, test } from "vitest";
import { parseKubeconfig } from "./kubeconfig.js";

const base64 = (text: string) => Buffer.from(text).toString("base64");

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: sandkube-default
  cluster:
    server: https://127.0.0.1:6443
    certificate-authority-data: ${base64("CA")}
users:
- name: sandkube-default
  user:
    client-certificate-data: ${base64("CERT")}
    client-key-data: "${base64("KEY")}"
contexts:
- name: sandkube-default
  context:
    cluster: sandkube-default
    user: sandkube-default
current-context: sandkube-default
`;

test("the server and the decoded credentials are read", () => {
  expect(parseKubeconfig(kubeconfig, "kubeconfig")).toEqual({
    server: "https://127.0.0.1:6443",
    certificateAuthority: "CA",
    certificate: "CERT",
    key: "KEY",
  });
});

test("the same in the JSON form of YAML, a key a line", () => {
  const json = JSON.stringify(
    {
      clusters: [
        { cluster: { server: "https://x:1", "certificate-authority-data": base64("CA") } },
      ],
      users: [{ user: { "client-certificate-data": base64("C"), "client-key-data": base64("K") } }],
    },
    null,
    2,
  );
  expect(parseKubeconfig(json, "kubeconfig")).toMatchObject({ server: "https://x:1", key: "K" });
});

test.each([
  ["without a key", kubeconfig.replace(/client-key-data.*/, "")],
  ["with two clusters", kubeconfig + kubeconfig],
  ["that is empty", ""],
])("a kubeconfig %s is E_STATE and names the file", (_what, text) => {
  expect(() => parseKubeconfig(text, "/data/kubeconfig")).toThrow("/data/kubeconfig");
});
