import { describe, expect, it } from "vitest";
import { fencedBlocks } from "./harness/documented-commands.js";
import { sandboxForSuite } from "./harness/suites.js";

/** Lines in which what differs from run to run has one form. */
function comparable(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replaceAll(/\d+(?:\.\d+)? ?(?:ms|s|min|m)\b/g, "TIME"))
    .map((line) => line.replaceAll(/ +/g, " ").trimEnd())
    .filter((line) => line !== "");
}

describe("README.md in g26", () => {
  const sandkube = sandboxForSuite({ kind: "g26" });

  it("shows what its commands print", async () => {
    const [shown = ""] = fencedBlocks("README.md", "console");
    const commands = shown.split(/^\$ /m).filter((part) => part !== "");
    for (const command of commands) {
      const [line = "", ...output] = command.split("\n");
      const script = ["sh", "-c", `${line} 2>&1`];
      const { exitCode, stdout } = await sandkube().sandbox.exec(script, { timeoutMs: 200_000 });
      expect({ line, exitCode }).toEqual({ line, exitCode: 0 });
      // The page leaves out the end of a long output, and a wait says now and then that it goes on.
      const printed = new Set(comparable(stdout));
      const missing = comparable(output.join("\n")).filter((wanted) => !printed.has(wanted));
      expect(missing).toEqual([]);
    }
    expect(commands).toHaveLength(2);
    await sandkube().do(["delete"]);
  });

  it("has a program that runs as it stands", async () => {
    const [program = ""] = fencedBlocks("README.md", "ts");
    const { sandbox } = sandkube();
    const prepare = `mkdir /root/project; cd /root/project; cp /images/hello.tar .
ln -s ${sandbox.checkout}/node_modules node_modules; echo '{"type":"module"}' > package.json; cat > program.ts`;
    const prepared = await sandbox.exec(["sh", "-ec", prepare], { stdin: program });
    expect(prepared).toMatchObject({ exitCode: 0, stderr: "" });
    const { exitCode, stdout, stderr } = await sandbox.exec(
      ["node", "--import", "tsx", "program.ts"],
      {
        cwd: "/root/project",
        env: { TSX_DISABLE_CACHE: "1" },
        timeoutMs: 250_000,
      },
    );
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: "/var/lib/sandkube/test/kubeconfig\n",
      stderr: "",
    });
    expect(JSON.parse(await sandkube().do(["list", "--json"]))).toEqual([]);
  });
});
