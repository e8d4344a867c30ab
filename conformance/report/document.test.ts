import { expect, it } from "vitest";
import { committedContent, generatedFile } from "../../scripts/generated-file.js";
import { conformanceDocument } from "./document.js";
import { allRecords } from "./keep-record.js";

it("renders the figure, and every spec that did not pass with its reason", () => {
  const spec = { reason: "", date: "2026-11-24" };
  const conformance = [
    {
      kind: "g24",
      versions: { kubernetes: "v1.36.4", sandkube: "0.1.0" },
      total: 4,
      specs: [
        {
          ...spec,
          name: "[sig-network] DNS should answer",
          outcome: "passed",
          images: ["nginx:1.27-0"],
        },
        { ...spec, name: "[sig-node] B should fail", outcome: "failed", reason: "a | b" },
        { ...spec, name: "[sig-node] C should pass", outcome: "passed", date: "2026-11-25" },
      ],
    },
  ] as const;
  const text = conformanceDocument({ conformance, critest: [], kubectl: [] });
  expect(text).toContain(
    "| g24 | **2 of 4** | at least 1 (images of 1 not noted) | 1 | 1 | 2026-11-24 to 2026-11-25 | Kubernetes v1.36",
  );
  expect(text).toContain("| sig-node | 1 of 2 |");
  expect(text).toContain("| [sig-node] B should fail | failed | not looked into yet | `a \\| b` |");
});

it("is what docs/conformance.md has, for the records that are kept", async () => {
  const document = conformanceDocument(await allRecords());
  const { path, content } = await generatedFile("docs/conformance.md", document);
  expect(committedContent(path), "run `npm run generate`").toBe(content);
});
