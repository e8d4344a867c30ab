import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../platform/testing/temporary-directory.js";
import { createProgram } from "../program.js";
import { complete, toolOf } from "./complete.js";

const program = createProgram();

/** A data directory with the clusters alpha and beta. */
async function twoClusters(): Promise<string> {
  const data = await temporaryDirectory();
  for (const name of ["alpha", "beta"]) await mkdir(join(data, name));
  return data;
}

async function candidates(...words: string[]): Promise<string[] | "files"> {
  const values = await complete(program, words);
  return values === "files" ? values : values.map(({ value }) => value);
}

describe("complete", () => {
  test.each([
    { words: ["im"], found: ["image"] },
    { words: ["image", "l"], found: ["load", "list"] },
    { words: ["image", "ls", "--na"], found: ["--name"] },
    { words: ["up", "--control-"], found: ["--control-plane"] },
    { words: ["logs", "n"], found: ["network", "node-init", "node"] },
    { words: ["logs", "--tail", "5", "net"], found: ["network"] },
    { words: ["logs", "node", ""], found: [] },
    { words: ["explain", "no-key"], found: ["no-keyring"] },
    { words: ["completion", ""], found: ["bash", "zsh", "fish"] },
    { words: ["image", "load", ""], found: "files" as const },
    { words: ["image", "load", "one.tar", ""], found: "files" as const },
    { words: ["up", "--config", ""], found: "files" as const },
    { words: ["up", "--config=/etc/"], found: "files" as const },
    { words: ["up", "--timeout", ""], found: [] },
    { words: ["no-such-command", "--na"], found: ["--name"] },
    { words: ["__comp"], found: [] },
  ])("after sandkube $words come $found", async ({ words, found }) => {
    expect(await candidates(...words)).toEqual(found);
  });

  test.each([[["status", "--name"]], [["down", "--json", "--name"]], [["--name"]]])(
    "after sandkube %s come the clusters",
    async (words) => {
      const data = await twoClusters();
      expect(await candidates("--data", data, ...words, "")).toEqual(["alpha", "beta"]);
      expect(await candidates(`--data=${data}`, ...words, "b")).toEqual(["beta"]);
    },
  );

  test("a value in the same word as its option is completed there", async () => {
    const data = await twoClusters();
    expect(await candidates("--data", data, "status", "--name=al")).toEqual(["--name=alpha"]);
  });

  test("each cluster comes with its state", async () => {
    const data = await twoClusters();
    expect(await complete(program, ["--data", data, "down", "--name", "al"])).toEqual([
      { value: "alpha", meaning: "unfinished" },
    ]);
  });
});

describe("toolOf", () => {
  test("is told what follows the tool's name, for the cluster that stands before it", () => {
    const words = ["--name", "one", "kubectl", "get", "pods", "--name"];
    expect(toolOf(program, words)).toEqual({
      tool: "kubectl",
      words: ["get", "pods", "--name"],
      flags: { name: "one" },
    });
  });

  test.each([[["kubectl"]], [["image", "list", ""]], [["--name", "kubectl", ""]]])(
    "%s is sandkube's own",
    (words) => {
      expect(toolOf(program, words)).toBeNull();
    },
  );
});
