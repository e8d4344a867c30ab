import { describe, expect, it } from "vitest";
import { loadTestImages, sandboxForSuite, type SuiteOptions } from "./harness/suites.js";
import { tracesOf } from "./harness/traces.js";

/** Sandboxes that differ in what their users can not choose. */
const variants: readonly [string, SuiteOptions][] = [
  ["g26 with its root file system over 9p", { kind: "g26", overlay2: "none" }],
  ["g26 with raw sockets", { kind: "g26", netRaw: true }],
  ["g26 without a network", { kind: "g26", network: "none" }],
  ["g26 with the programs of Debian trixie", { kind: "g26", userland: "trixie" }],
  ["the bare kernel", { kind: "bare" }],
];

describe.each(variants)("%s", (_name, options) => {
  const sandkube = sandboxForSuite(options);

  it("runs pods with volumes and a Service, and leaves nothing behind", async () => {
    const before = await tracesOf(sandkube().sandbox);
    await sandkube().do(["up"]);
    await loadTestImages(sandkube());
    await sandkube().apply("volumes.yaml");
    await sandkube().untilReady("app=volumes");
    const files = "cat /etc/app/app.conf /scratch/state /credentials/password";
    expect(await sandkube().inPod("volumes", files)).toBe("listen = 8080\nprepared\nswordfish");
    await sandkube().apply("examples/hello/manifests");
    await sandkube().untilReady("app=hello");
    expect(await sandkube().inPod("volumes", "fetch http://hello/")).toMatch(
      /^Hello from pod hello-/,
    );
    await sandkube().do(["delete"]);
    expect(await tracesOf(sandkube().sandbox)).toEqual(before);
  });
});
