import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { ensurePrograms } from "../lab/src/debian.js";
import { OutputLines } from "./harness/output-lines.js";
import { sandboxForSuite } from "./harness/suites.js";

const cluster = "completed";
/** How long a shell may take to read keys again after a command has ended. */
const promptMs = 500;

const shells = {
  bash: { command: "bash --norc --noprofile -i", script: "source <(sandkube completion bash)" },
  zsh: { command: "zsh -f -i", script: "source <(sandkube completion zsh)" },
  fish: { command: "fish --no-config -i", script: "sandkube completion fish | source" },
} as const;

/** What is typed before the tabulator, and what it makes of that. */
const cases = [
  [`sandkube im`, `sandkube image`],
  [`sandkube image sa`, `sandkube image save`],
  [`sandkube up --control-`, `sandkube up --control-plane`],
  [`sandkube status --name comp`, `sandkube status --name ${cluster}`],
  [`sandkube status --name=comp`, `sandkube status --name=${cluster}`],
  [`sandkube logs net`, `sandkube logs network`],
  [`sandkube config check /etc/os-rel`, `sandkube config check /etc/os-release`],
  [`sandkube helm upgrade --reuse-`, `sandkube helm upgrade --reuse-values`],
  [
    `sandkube --name ${cluster} kubectl get configmap kube-ro`,
    `sandkube --name ${cluster} kubectl get configmap kube-root-ca.crt`,
  ],
] as const;

describe("completion on the bare kernel", () => {
  const sandkube = sandboxForSuite({ kind: "bare" });

  beforeAll(async () => {
    await ensurePrograms({ zsh: "zsh", fish: "fish" }, AbortSignal.timeout(300_000));
    await sandkube().do(["up", "--control-plane", "--name", cluster]);
  });

  it.each(["bash", "zsh", "fish"] as const)("%s completes what is typed", async (shell) => {
    const { command, script } = shells[shell];
    const terminal = sandkube().sandbox.spawn(["script", "-qfec", command, "/dev/null"], {
      env: { TERM: "dumb" },
    });
    const output = new OutputLines(terminal);
    try {
      terminal.stdin.write(`${script}; echo prepared\r`);
      await output.until("the script is read", (line) => (line === "prepared" ? line : null));
      const completed: string[] = [];
      for (const [index, [typed]] of cases.entries()) {
        await delay(promptMs);
        // Ctrl-A goes to the line's start, so that it is printed as it is now.
        const marker = `completed-${index}:`;
        terminal.stdin.write(`${typed}\t\u0001echo ${marker} \r`);
        const line = await output.until(typed, (text) => (text.startsWith(marker) ? text : null));
        completed.push(line.slice(marker.length).trim());
      }
      expect(completed).toEqual(cases.map(([, wanted]) => wanted));
    } finally {
      await terminal.kill("SIGKILL");
      await terminal.exited;
    }
  });
});
