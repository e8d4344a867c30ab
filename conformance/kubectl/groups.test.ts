import { expect, it } from "vitest";
import { groupsIn, wordsOf } from "./groups.js";

const script = `
  record_command run_kubectl_version_tests
  if kube::test::if_supports_resource "\${secrets}" ; then
    record_command run_secrets_test
  fi
    record_command run_job_tests
# record_command run_kubectl_tests
KUBE_JUNIT_REPORT_DIR=$(mktemp -d) record_command record_command_canary
      record_command "run_\${pkg}_tests"
`;

it("finds the groups that the script runs, in its order", () => {
  expect(groupsIn(script)).toEqual([
    "run_kubectl_version_tests",
    "run_secrets_test",
    "run_job_tests",
  ]);
});

it("has the words by which the script takes groups", () => {
  expect(wordsOf(["run_kubectl_version_tests", "run_job_tests"])).toEqual([
    "kubectl_version",
    "job",
  ]);
  expect(() => wordsOf(["run_secrets_test"])).toThrow(/run_secrets_test/);
});
