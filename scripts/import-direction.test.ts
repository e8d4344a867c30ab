import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { repositoryPath } from "./programs/repository.js";

const source = repositoryPath("packages/sandkube/src");

/** From the top down. A file may import from its own layer and from those below. */
const layers: readonly (readonly string[])[] = [
  ["cli"],
  ["index"],
  ["quick"],
  ["cluster"],
  ["boot"],
  ["runtime", "kube", "images", "sandbox", "plan", "egress"],
  ["state", "config"],
  ["platform"],
  ["errors", "events", "node-names"],
];

/** What only src/platform may use, so that there is one place where the machine is touched. */
const platformModules = ["child_process", "net", "http", "https", "tls", "dgram"];

/** All that is published: tests may reach anywhere. */
const files = readdirSync(source, { encoding: "utf8", recursive: true }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.includes("testing/"),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), "utf8");
  const imports = text.matchAll(/(?:\bfrom|\bimport\(?)\s*"([^"]+)"/g);
  return [...imports].map((match) => match[1] ?? "");
}

/** Index of the layer that a path below src belongs to. */
function layerOf(path: string): number {
  const [first = ""] = path.replace(/\.[jt]s$/, "").split("/");
  const layer = layers.findIndex((names) => names.includes(first));
  if (layer < 0) throw new Error(`${path} is in no layer: add its folder to this test`);
  return layer;
}

/** The import of a relative path that points upwards, in words; null when it is in order. */
function wrongDirection(file: string, imported: string): string | null {
  if (!imported.startsWith(".")) return null;
  const target = normalize(join(dirname(file), imported));
  // Data files beside src, such as package.json, are in no layer.
  if (target.startsWith("..")) return null;
  return layerOf(target) < layerOf(file) ? `${file} imports ${target}` : null;
}

/** The library, and the part of it that loads quickly. */
const entries = ["index.js", "quick.js"];

describe("packages/sandkube/src", () => {
  test("is found", () => {
    expect(files).toContain("errors.ts");
  });

  test("imports in one direction: cli, cluster, boot, parts, state, platform, errors", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).flatMap((imported) => wrongDirection(file, imported) ?? []),
    );
    expect(wrong).toEqual([]);
  });

  test("the CLI uses the library by its entries alone", () => {
    const wrong = files
      .filter((file) => file.startsWith("cli/"))
      .flatMap((file) =>
        importsOf(file)
          .filter((imported) => imported.startsWith("."))
          .map((imported) => normalize(join(dirname(file), imported)))
          .filter((target) => !target.startsWith("cli/") && !entries.includes(target))
          .map((target) => `${file} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test("processes and sockets are used in platform/ alone", () => {
    const wrong = files
      .filter((file) => !file.startsWith("platform/"))
      .filter((file) =>
        importsOf(file).some((imported) =>
          platformModules.includes(imported.replace(/^node:/, "")),
        ),
      );
    expect(wrong).toEqual([]);
  });
});

describe("the direction test itself", () => {
  test.each([
    ["plan/plan.ts", "../boot/steps.js", "plan/plan.ts imports boot/steps.js"],
    ["plan/adaptations/a.ts", "../../cli/main.js", "plan/adaptations/a.ts imports cli/main.js"],
    ["errors.ts", "./platform/files.js", "errors.ts imports platform/files.js"],
    ["boot/steps.ts", "../plan/plan.js", null],
    ["plan/plan.ts", "../sandbox/facts.js", null],
    ["plan/plan.ts", "zod", null],
  ])("%s importing %s", (file, imported, expected) => {
    expect(wrongDirection(file, imported)).toBe(expected);
  });
});
