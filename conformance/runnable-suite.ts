import { critestImages } from "./critest/images.js";
import { critestProgram, criToolsVersion } from "./critest/critest.js";
import { runCritest } from "./critest/run-critest.js";
import { conformanceImages } from "./images/conformance-images.js";
import { specsThatMatch } from "./suite/specs.js";
import { conformanceSuite } from "./suite/suite.js";
import { runKubectlSuite } from "./kubectl/run-kubectl.js";
import { commandLineSuite } from "./kubectl/sources.js";
import type { RunnableSuite, Selection, SuiteName } from "./suites.js";
import { runSuite } from "./run/run-suite.js";

type Prepare = (signal: AbortSignal, report: (line: string) => void) => Promise<RunnableSuite>;

/** What conformance means: every spec with this tag. */
const conformanceSpecs: Selection = { focus: String.raw`\[Conformance\]`, skip: null };
const allSpecs: Selection = { focus: null, skip: null };

const suites: Readonly<Record<SuiteName, Prepare>> = {
  conformance: async (signal, report) => {
    const suite = await conformanceSuite(signal, report);
    return {
      versions: {},
      recorded: () => specsThatMatch(suite.program, conformanceSpecs, signal),
      matching: (selection) => specsThatMatch(suite.program, selection, signal),
      run: async (run) =>
        runSuite(suite, await conformanceImages(suite.images, signal, report), run),
    };
  },
  critest: async (signal, report) => {
    const critest = await critestProgram(signal, report);
    return {
      versions: { "cri-tools": await criToolsVersion() },
      recorded: () => specsThatMatch(critest.program, allSpecs, signal),
      matching: (selection) => specsThatMatch(critest.program, selection, signal),
      run: async (run) => runCritest(critest, await critestImages(signal, report), run),
    };
  },
  kubectl: async (signal, report) => {
    const suite = await commandLineSuite(signal, report);
    const matching = ({ focus, skip }: Selection): string[] =>
      suite.groups.filter(
        (group) =>
          (focus === null || new RegExp(focus).test(group)) &&
          (skip === null || !new RegExp(skip).test(group)),
      );
    return {
      versions: {},
      recorded: () => Promise.resolve([...suite.groups]),
      matching: (selection) => Promise.resolve(matching(selection)),
      run: (run) => runKubectlSuite(suite, run),
    };
  },
};

/** Builds a suite if it is not in the cache yet. `report` is told what takes long. */
export function runnableSuite(
  name: SuiteName,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<RunnableSuite> {
  return suites[name](signal, report);
}
