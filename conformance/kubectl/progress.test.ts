import { expect, it } from "vitest";
import type { SpecResult } from "../report/spec-results.js";
import { CommandLineProgress } from "./progress.js";

/** The results after these lines, one of which comes each second. */
function resultsOf(output: string): SpecResult[] {
  const progress = new CommandLineProgress();
  return output.split("\n").flatMap((line, second) => progress.take(line, second * 1000) ?? []);
}

it("tells the groups that pass, how long they took, and why others fail", () => {
  const output = `+++ Running case: test-cmd.record_command_canary
+++ exit code: 1
Recording: run_version_tests
+++ Running case: test-cmd.run_version_tests
+++ working dir: /kubernetes
+++ exit code: 0
+++ Running case: test-cmd.run_pod_tests
\u001b[32mcore.sh:10: Successful get pods {{range.items}}: valid
\u001b[m
\u001b[31mcore.sh:12: FAIL!
Get pods {{range.items}}
  Expected: valid-pod:
  Got:      other:
\u001b[m
!!! Error in /kubernetes/hack/lib/logging.sh:41
  Error in test/cmd/core.sh:12. 'return 1' exited with status 1
+++ exit code: 1
+++ error: 1
+++ Running case: test-cmd.run_job_tests
!!! Error in /kubernetes/hack/lib/logging.sh:41
  Error in test/cmd/batch.sh:7. 'kubectl create job' exited with status 1
+++ exit code: 1`;
  expect(resultsOf(output)).toEqual([
    { name: "run_version_tests", outcome: "passed", seconds: 2, reason: "" },
    {
      name: "run_pod_tests",
      outcome: "failed",
      seconds: 10,
      reason: "core.sh:12: FAIL! Get pods {{range.items}} Expected: valid-pod: Got:      other:",
    },
    {
      name: "run_job_tests",
      outcome: "failed",
      seconds: 3,
      reason: "Error in test/cmd/batch.sh:7. 'kubectl create job' exited with status 1",
    },
  ]);
});
