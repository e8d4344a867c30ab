import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryPath } from "../../scripts/programs/repository.js";
import { registriesYaml } from "./image-registry.js";

const layer = "content of a layer";
const manifest = JSON.stringify({ schemaVersion: 2, layers: [{ digest: digestOf(layer) }] });
const mediaType = "application/vnd.oci.image.manifest.v1+json";

describe("the registry of the suite's images", () => {
  let directory: string;
  let registry: ChildProcess;
  let address: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "image-registry-"));
    writeArchive(directory, "first.example/team/app:1");
    const program = repositoryPath("conformance/inside/registry.mjs");
    const aliases = JSON.stringify([["first.example/team/app:1", "first.example/team/app:2"]]);
    registry = spawn(process.execPath, [program, directory, aliases], { stdio: "pipe" });
    const [port] = (await once(registry.stdout ?? registry, "data")) as [Buffer];
    address = `http://127.0.0.1:${port.toString().trim()}`;
  });
  afterAll(() => {
    registry.kill();
    rmSync(directory, { recursive: true });
  });

  it.each(["1", "2", digestOf(manifest)])("has the manifest of %s", async (reference) => {
    const path = `/v2/team/app/manifests/${reference}?ns=first.example`;
    const response = await fetch(`${address}${path}`);
    expect(response.headers.get("content-type")).toBe(mediaType);
    expect(response.headers.get("docker-content-digest")).toBe(digestOf(manifest));
    expect(await response.text()).toBe(manifest);
  });

  it("has blobs as they lie in the archive", async () => {
    const response = await fetch(`${address}/v2/team/app/blobs/${digestOf(layer)}`);
    expect(await response.text()).toBe(layer);
  });

  it.each([
    "/v2/team/app/manifests/3?ns=first.example",
    "/v2/team/app/manifests/1?ns=second.example",
    "/v2/team/app/blobs/sha256:00",
    "/elsewhere",
  ])("answers 404 to %s", async (path) => {
    expect((await fetch(`${address}${path}`)).status).toBe(404);
  });
});

it("mirrors each registry", () => {
  expect(registriesYaml(["a.example", "b.example:5000"], "4321")).toBe(
    'mirrors:\n  "a.example": {endpoint: ["http://127.0.0.1:4321"]}\n' +
      '  "b.example:5000": {endpoint: ["http://127.0.0.1:4321"]}\n',
  );
});

function digestOf(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Writes an OCI layout in a tar file, as the archive tool does. */
function writeArchive(directory: string, name: string): void {
  const layout = join(directory, "layout");
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const blobs = [layer, manifest].map((content) => {
    const path = `blobs/sha256/${digestOf(content).slice("sha256:".length)}`;
    writeFileSync(join(layout, path), content);
    return path;
  });
  const annotations = { "io.containerd.image.name": name };
  const descriptor = { mediaType, digest: digestOf(manifest), annotations };
  writeFileSync(join(layout, "index.json"), JSON.stringify({ manifests: [descriptor] }));
  execFileSync("tar", ["-C", layout, "-cf", join(directory, "app.tar"), ...blobs, "index.json"]);
}
