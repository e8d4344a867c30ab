import { expect, test } from "vitest";
import { parse } from "yaml";
import { mergeKubeconfigs, withoutCluster } from "./merged-kubeconfig.js";

const added = `apiVersion: v1
kind: Config
clusters:
- name: sandkube-test
  cluster:
    server: https://127.0.0.1:6443
users:
- name: sandkube-test
  user:
    client-key-data: a2V5
contexts:
- name: sandkube-test
  context:
    cluster: sandkube-test
    user: sandkube-test
current-context: sandkube-test
`;

const own = `apiVersion: v1
kind: Config
# the one at work
clusters:
- name: work
  cluster:
    server: https://work.example:6443
users:
- name: work
  user:
    token: secret
contexts:
- name: work
  context:
    cluster: work
    user: work
current-context: work
`;

const file = "/home/user/.kube/config";

interface Kubeconfig {
  clusters: { name: string }[];
  users: { name: string }[];
  contexts: { name: string }[];
  "current-context": string;
}

function merge(text: string, switchContext = true): string {
  return mergeKubeconfigs(text, added, { file, switchContext });
}

test("a cluster is added to an empty file", () => {
  expect(parse(merge(""))).toEqual(parse(added));
});

test("what was there stays, with its comments, and the context is switched", () => {
  const merged = merge(own);
  expect(merged).toContain("# the one at work");
  const { clusters, users, contexts, ...rest } = parse(merged) as Kubeconfig;
  for (const list of [clusters, users, contexts]) {
    expect(list.map(({ name }) => name)).toEqual(["work", "sandkube-test"]);
  }
  expect(rest["current-context"]).toBe("sandkube-test");
});

test("the context can be kept", () => {
  expect((parse(merge(own, false)) as Kubeconfig)["current-context"]).toBe("work");
});

test("merging again replaces and changes nothing", () => {
  const once = merge(own);
  expect(merge(once)).toBe(once);
  const moved = added.replace("6443", "7443");
  const again = mergeKubeconfigs(once, moved, { file, switchContext: true });
  expect(again).toContain("7443");
  expect((parse(again) as Kubeconfig).clusters).toHaveLength(2);
});

test("what kubectl writes for a file without entries takes some", () => {
  const empty =
    'apiVersion: v1\nclusters: null\ncontexts: []\ncurrent-context: ""\nkind: Config\nusers: null\n';
  expect((parse(merge(empty)) as Kubeconfig).contexts).toHaveLength(1);
});

test("a cluster is taken out again, and only it", () => {
  const back = withoutCluster(merge(own), "sandkube-test", file);
  expect(parse(back ?? "")).toEqual({ ...(parse(own) as object), "current-context": "" });
  expect(withoutCluster(own, "sandkube-test", file)).toBeNull();
});

test.each(["- a list", "clusters: text", "a: [", "just text"])(
  "%j is refused and named",
  (text) => {
    expect(() => merge(text)).toThrow(`${file} is no kubeconfig`);
  },
);
