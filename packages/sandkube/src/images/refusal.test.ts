import { expect, test } from "vitest";
import { refusalError } from "./refusal.js";

const failure = "registry.example/a:1 can not be pulled";

test("of what a registry refuses, the last host's fault decides the code", () => {
  const faults = [
    { kind: "unreachable", host: "m.example", message: "no answer in time" },
    { kind: "not-found", host: "registry.example", message: "404" },
  ] as const;
  const refusal = { kind: "registry", message: "registry.example: 404", hint: "" } as const;
  expect(refusalError({ ...refusal, faults: [...faults] }, failure)).toMatchObject({
    code: "E_REGISTRY_NOT_FOUND",
    message: `${failure}: registry.example: 404`,
    details: { faults },
  });
});

test.each([
  ["platform", "E_IMAGE_PLATFORM"],
  ["space", "E_IMAGE_SPACE"],
  ["usage", "E_USAGE"],
] as const)("%s is %s, with what can be done", (kind, code) => {
  const error = refusalError({ kind, message: "m", hint: "Do it.", faults: [] }, failure);
  expect(error).toMatchObject({ code, message: `${failure}: m`, hint: "Do it." });
});
