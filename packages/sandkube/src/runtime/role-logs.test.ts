import * as fs from "node:fs/promises";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { makeClusterDirectory } from "../state/cluster-directories.js";
import { clusterPaths } from "../state/cluster-paths.js";
import { readLogs } from "./role-logs.js";

async function clusterWithLogs() {
  const paths = clusterPaths(await temporaryDirectory(), "one");
  await makeClusterDirectory(paths);
  await fs.writeFile(paths.log("node"), "n1\nn2\nn3\n");
  await fs.writeFile(paths.log("containerd"), "c1\n");
  return paths;
}

test("the last lines of each role are read, role by role; a role without a log has none", async () => {
  const lines: string[] = [];
  const roles = ["supervisor", "containerd", "node"] as const;
  for await (const { role, line } of readLogs(await clusterWithLogs(), roles, {
    tail: 2,
    follow: false,
  })) {
    lines.push(`${role} ${line}`);
  }
  expect(lines).toEqual(["containerd c1", "node n2", "node n3"]);
});

test("following goes on with whole new lines, also of a log that comes later, until aborted", async () => {
  const paths = await clusterWithLogs();
  const controller = new AbortController();
  const lines: string[] = [];
  for await (const { line } of readLogs(paths, ["node", "supervisor"], {
    tail: 1,
    follow: true,
    signal: controller.signal,
  })) {
    lines.push(line);
    if (line === "n3") await fs.appendFile(paths.log("node"), "n4\nn5 is cut");
    if (line === "n4") {
      await fs.appendFile(paths.log("node"), " here\n");
      await fs.writeFile(paths.log("supervisor"), "s1\n");
    }
    if (lines.includes("n5 is cut here") && lines.includes("s1")) controller.abort();
  }
  expect(lines.slice(0, 2)).toEqual(["n3", "n4"]);
  expect(lines.toSorted()).toEqual(["n3", "n4", "n5 is cut here", "s1"]);
});
