/**
 * Writes what the TypeScript library and the Go runtime agree on: JSON Schemas from the
 * zod schemas, and a node spec for each recorded sandbox, which the tests of both decode.
 */
import { z } from "zod";
import { jsonLineSchema } from "../packages/sandkube/src/cli/json-lines.js";
import { parseClusterOptions } from "../packages/sandkube/src/config/cluster-options.js";
import { supervisorEventSchema, type ClusterMode } from "../packages/sandkube/src/events.js";
import { baseNodeSpec, nodeSpecSchema } from "../packages/sandkube/src/plan/node-spec.js";
import { planNode } from "../packages/sandkube/src/plan/plan.js";
import { factsSchema, type Facts } from "../packages/sandkube/src/sandbox/facts.js";
import { chooseMode } from "../packages/sandkube/src/sandbox/modes.js";
import {
  recordedFacts,
  recordedNames,
} from "../packages/sandkube/src/sandbox/testing/recorded-facts.js";
import { generatedFile, isProgram, writeGenerated, type GeneratedFile } from "./generated-file.js";

const testdata = "protocol/testdata";

/** Every generated file below protocol/. */
export function protocolFiles(): Promise<GeneratedFile[]> {
  return Promise.all([
    schemaFile("facts", "Facts: the output of sandkube-oci probe", factsSchema),
    schemaFile("node-spec", "Node spec: all that the runtime is told", nodeSpecSchema),
    schemaFile("events", "One line of the supervisor's event stream", supervisorEventSchema),
    schemaFile("json-lines", "One line of what commands print with --json", jsonLineSchema),
    ...exampleSpecs(),
  ]);
}

function schemaFile(name: string, title: string, schema: z.ZodType): Promise<GeneratedFile> {
  // The reader's view: unknown fields of events are allowed, since readers drop them.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return generatedFile(`protocol/${name}.schema.json`, toJson({ $schema, title, ...rest }));
}

/** A spec with a node for each recorded sandbox that allows one, one without a node, and one with two. */
function exampleSpecs(): Promise<GeneratedFile>[] {
  const withNode = recordedNames().flatMap((name) => {
    const facts = recordedFacts(name);
    const mode = chooseMode("auto", facts);
    return mode === "control-plane" ? [] : [{ name, spec: exampleSpec(facts, mode) }];
  });
  const fullKernel = recordedFacts("full-kernel");
  const others = [
    { name: "control-plane", spec: exampleSpec(fullKernel, "control-plane") },
    { name: "two-nodes", spec: exampleSpec(fullKernel, "full", 2) },
  ];
  return [...withNode, ...others].map(({ name, spec }) =>
    generatedFile(`${testdata}/node-spec-${name}.json`, toJson(spec)),
  );
}

function exampleSpec(facts: Facts, mode: ClusterMode, nodes = 1) {
  const options = parseClusterOptions({ dataDirectory: "/var/lib/sandkube", nodes });
  const paths = {
    clusterDirectory: "/var/lib/sandkube/default",
    programs: "/usr/lib/sandkube/programs",
  };
  return planNode(facts, baseNodeSpec(options, paths, mode, facts.system)).spec;
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

if (isProgram(import.meta.url)) {
  for (const path of writeGenerated(await protocolFiles())) console.log(`wrote ${path}`);
}
