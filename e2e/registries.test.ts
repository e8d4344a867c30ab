import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kill } from "./harness/kill-process.js";
import { outsideWorld, type OutsideWorld } from "./harness/outside-world.js";
import { jsonLines } from "./harness/sandkube.js";
import { sandboxForSuite } from "./harness/suites.js";
import { documentedLines } from "./harness/up-output.js";
import { waitUntil } from "./harness/wait-until.js";

interface PullEvent {
  readonly bytes?: number;
}

interface Step {
  readonly type: string;
  readonly name: string;
  readonly fault?: { readonly kind: string; readonly host: string; readonly issuer?: string };
}

/** The size of the layer that stops half-way, in bytes. */
const slowLayerBytes = 4 * 1024 * 1024;

describe.each(["g26", "g24"] as const)("registries in %s", (kind) => {
  const sandkube = sandboxForSuite({ kind });
  let world: OutsideWorld;

  beforeAll(async () => {
    world = await outsideWorld(sandkube());
    const registries = ["--registries-config", `${world.directory}/registries.yaml`];
    await sandkube().do(["up", "--proxy-pods", ...registries], { env: world.environment });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  const image = (name: string) => (name.startsWith(":") ? `${world.address}${name}` : name);
  const pull = (name: string, ...options: string[]) =>
    sandkube().run(["image", "pull", "--json", image(name), ...options], {
      env: { SANDKUBE_REGISTRY_CREDS: "user:sesame" },
    });

  it.each([
    ["from a registry that speaks HTTP", ":5001/team/app:1"],
    ["from the next mirror when one answers no more", "mirrored.example/team/app:1"],
    ["by another path", "prefixed.example/team/app:1"],
    ["by another name", "renamed.example/old/app:1"],
    ["through the proxy, with an account and a private CA", "registry.example/team/app:1"],
  ])("image pull: %s", async (_title, name) => {
    const { exitCode, stdout, stderr } = await pull(name);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(documentedLines(stdout).at(-1)).toMatchObject({
      type: "result",
      name: image(name),
    });
  });

  // What a registry answers is the same in every sandbox.
  it.runIf(kind === "g26").each([
    [":5001/team/nothing:1", [], "E_REGISTRY_NOT_FOUND", "404 Not Found"],
    [":5001/team/app:1", ["--platform", "linux/s390x"], "E_IMAGE_PLATFORM", "linux/s390x"],
    [":5003/team/app:1", [], "E_REGISTRY_RATE_LIMIT", "429"],
    [
      ":5004/team/other:1",
      [],
      "E_EGRESS_REFUSED",
      "can not be pulled: blobs.example: the proxy answers",
    ],
    ["elsewhere.example/app:1", [], "E_EGRESS_REFUSED", "host_not_allowed"],
    [":9/app:1", [], "E_REGISTRY_UNREACHABLE", "connection refused"],
    [":5002/team/app:1", ["--creds-file", "/dev/null"], "E_USAGE", "USER:PASSWORD"],
    ["Not A Name", [], "E_USAGE", "is not an image's name"],
  ])("image pull %s %j ends with %s", async (name, options, code, says) => {
    const { exitCode, stdout } = await pull(name, ...options);
    expect(exitCode).toBeGreaterThan(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: "error",
      error: { code, message: expect.stringContaining(says) },
    });
  });

  it("an account that is not right is told as such", async () => {
    const { stderr } = await sandkube().run(
      ["image", "pull", "--creds-stdin", "registry.example/team/app:1"],
      { stdin: "user:wrong\n" },
    );
    expect(stderr).toContain("(E_REGISTRY_AUTH)");
  });

  it("doctor --registry goes step by step, and names who stands between", async () => {
    const check = async (env: Record<string, string>) => {
      const { stdout } = await sandkube().run(
        ["doctor", "--json", "--registry", "registry.example/team/app:1"],
        { env: { ...world.environment, SANDKUBE_REGISTRY_CREDS: "user:sesame", ...env } },
      );
      return jsonLines<Step>(stdout).filter(({ type }) => type === "registry-step");
    };
    const steps = await check({});
    expect(steps.map(({ name, fault }) => [name, fault])).toEqual(
      ["connect", "tls", "ping", "token", "manifest", "blob"].map((name) => [name, undefined]),
    );
    const intercepted = await check({ HTTPS_PROXY: "http://127.0.0.1:3129" });
    expect(intercepted.at(-1)).toMatchObject({
      name: "tls",
      fault: { kind: "untrusted", issuer: "CN=the sandbox's proxy" },
    });
    const trusting = await check({
      HTTPS_PROXY: "http://127.0.0.1:3129",
      NODE_EXTRA_CA_CERTS: `${world.directory}/proxy-ca.pem`,
    });
    expect(trusting.at(-1)).toMatchObject({ name: "blob" });
  });

  it("pods are pulled by mirrors, imagePullSecrets, the proxy and the private CA", async () => {
    const server = "--docker-server=registry.example";
    const account = ["--docker-username=user", "--docker-password=sesame"];
    const create = ["create", "secret", "docker-registry", "registry-account"];
    await sandkube().kubectl(...create, server, ...account);
    const overrides = JSON.stringify({
      spec: { imagePullSecrets: [{ name: "registry-account" }] },
    });
    const run = ["--image-pull-policy=Always", "--command", "--", "sleep", "3600"];
    const of = (name: string) => `--image=${name}`;
    await sandkube().kubectl("run", "mirrored", of("mirrored.example/team/app:1"), ...run);
    await sandkube().kubectl("run", "filed", of("filed.example/team/app:1"), ...run);
    await sandkube().kubectl(
      ...["run", "private", of("registry.example/team/app:1"), `--overrides=${overrides}`, ...run],
    );
    await sandkube().kubectl("run", "renamed", of("renamed.example/old/app:1"), ...run);
    await sandkube().untilReady("run in (mirrored, filed, private, renamed)");
  });

  it.each([
    ["no-image", ":5001/team/nothing:1", "404 Not Found. Check the name"],
    ["no-account", "registry.example/team/app:1", "401 Unauthorized. Give an account"],
    ["limited", ":5003/team/app:1", "429 Too Many Requests. Wait 120 s"],
    ["forbidden", "elsewhere.example/app:1", "(host_not_allowed). The way to elsewhere.example"],
    ["unreachable", ":9/app:1", "connection refused"],
  ])("a pod whose image can not be pulled says why and what to do: %s", async (pod, name, says) => {
    await sandkube().kubectl("run", pod, `--image=${image(name)}`, "--image-pull-policy=Always");
    const message = "jsonpath={.status.containerStatuses[0].state.waiting.message}";
    await waitUntil({
      for: `the pod ${pod} to say why it waits`,
      limitMs: 60_000,
      look: async () => {
        const waiting = await sandkube().kubectl("get", "pod", pod, "-o", message);
        return waiting.includes(says) ? { found: true } : { instead: waiting };
      },
    });
    await sandkube().kubectl("delete", "pod", pod, "--now");
  });

  it("a list in the images directory is pulled, and what fails of it is named", async () => {
    const directory = "/var/lib/sandkube/images";
    const list = `mkdir -p ${directory} && printf '%s\\n' ${image(":5001/proxy/team/app:1")} ${image(":5001/team/nothing:1")} >${directory}/list.txt`;
    await sandkube().sandbox.exec(["sh", "-c", list]);
    await waitUntil({
      for: "status to name what can not be pulled",
      limitMs: 90_000,
      look: async () => {
        const status = await sandkube().do(["status"]);
        return /list\.txt: .*nothing:1 can not be pulled: .*404/.test(status)
          ? { found: true }
          : { instead: status };
      },
    });
    const listed = ["ctr", "images", "ls", `name==${image(":5001/proxy/team/app:1")}`];
    expect(await sandkube().do(listed)).toContain("io.cri-containerd.pinned=pinned");
  });

  it("pods that are told of the proxy reach what it lets through, and no more", async () => {
    const tried = async (url: string) =>
      await sandkube().run(["kubectl", "exec", "mirrored", "--", "fetch", url]);
    // The registry itself answers, over TLS that the sandbox's CA bundle vouches for.
    expect((await tried("https://registry.example/v2/")).stderr).toContain("401 Unauthorized");
    expect((await tried("https://elsewhere.example/")).stderr).toContain("Forbidden");
  });

  it("a pull goes on when containerd is killed in the middle of it", async () => {
    const { process, output } = sandkube().start([
      ...["image", "pull", "--json", image(":5001/team/slow:1")],
    ]);
    await output.until("half of the layer", (line) => {
      const { bytes = 0 } = JSON.parse(line) as PullEvent;
      return bytes >= slowLayerBytes / 2 ? bytes : null;
    });
    await kill(sandkube(), /sandkube-containerd containerd /);
    await world.release();
    await output.until("another attempt", (line) =>
      line.includes("containerd has ended") ? line : null,
    );
    expect(await process.exited).toBe(0);
    const list = await sandkube().do(["image", "list"]);
    expect(list).toContain(`${image(":5001/team/slow:1")} `);
  });

  it("no password is in a log", async () => {
    const { directory } = await sandkube().status();
    const search = ["grep", "-rlE", "hush|sesame", `${directory}/logs`];
    expect((await sandkube().sandbox.exec(search)).stdout).toBe("");
  });
});
