import { describe, expect, it } from "vitest";
import { sandkubePartOf } from "../memory/parts.js";
import { sharesByPart } from "./measure-idle.js";

function line(pid: number, ticks: number, command: string): string {
  return `${pid} (x) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 5 6 7\t${command}\t`;
}

describe("sharesByPart", () => {
  it("adds up a part's processes and leaves out what came or is no part", () => {
    const shim = "/bin/containerd-shim-runc-v2\t-id\ta";
    const before = [line(2, 100, "/p/sandkube-runtime\tnode"), line(3, 5, shim), line(4, 5, shim)];
    const after = [
      line(2, 400, "/p/sandkube-runtime\tnode"),
      line(3, 10, shim),
      line(4, 20, shim),
      line(5, 900, "/p/sandkube-network\trun"),
      line(6, 900, "sleep\t1"),
    ];
    const shares = sharesByPart(before.join("\n"), after.join("\n"), 10_000, sandkubePartOf);
    expect(shares).toEqual([
      { part: "node", share: 0.3 },
      { part: "shims", share: 0.02 },
    ]);
  });
});
