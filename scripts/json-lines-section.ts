/** The section of docs/cli.md about `--json`, from the schema of its lines. */
import { z } from "zod";
import { jsonLineSchema } from "../packages/sandkube/src/cli/json-lines.js";

interface Schema {
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly const?: string;
  readonly description?: string;
}

const introduction = `## Lines of JSON

\`up\`, \`down\`, \`delete\` and \`image pull\` with \`--json\` print one JSON object a line. Every line has a \`type\`; those of events have \`sinceStartMs\`, the milliseconds since the operation's start, too. The last line is of type \`result\` or \`error\`. [protocol/json-lines.schema.json](../protocol/json-lines.schema.json) is their JSON Schema; fields and types may be added in later versions, none changes its meaning.

| Type | Fields | Meaning |
|---|---|---|`;

const ending = `
A field with a question mark may be absent. \`doctor --registry\` prints its steps in the same way, as lines of type \`registry-step\`, and \`status --watch\` lines of type \`status\`.
`;

/** The section as Markdown. */
export function jsonLinesSection(): string {
  const schema = z.toJSONSchema(jsonLineSchema, { io: "input" }) as Schema;
  const kinds = (schema.oneOf ?? []).flatMap((kind) => kind.oneOf ?? [kind]);
  return [introduction, ...kinds.map(row), ending].join("\n");
}

function row({ properties = {}, required = [], description = "" }: Schema): string {
  const { type, command, ...others } = properties;
  const of = command?.const === undefined ? "" : ` of \`${command.const}\``;
  const fields = Object.keys(others)
    .filter((name) => name !== "sinceStartMs")
    .map((name) => `\`${name}\`${required.includes(name) ? "" : "?"}`);
  return `| \`${type?.const}\`${of} | ${fields.join(", ")} | ${description} |`;
}
