import { expect, test } from "vitest";
import { registryError } from "./registry-fault.js";

const reference = "registry.example/a:1";
const mirror = { kind: "unreachable", host: "m.example", message: "no answer in time" } as const;

test("the last host's fault decides, those of mirrors are told too", () => {
  const error = registryError(reference, [
    mirror,
    { kind: "not-found", host: "registry.example", message: "404" },
  ]);
  expect(error).toMatchObject({
    code: "E_REGISTRY_NOT_FOUND",
    message: `${reference} can not be pulled from registry.example: 404; asked before: m.example: no answer in time`,
    details: { faults: [mirror, expect.anything()] },
  });
});

test.each([
  [{ kind: "rate-limited", retryAfterMs: 60_000 }, "E_REGISTRY_RATE_LIMIT", "Wait 60 s"],
  [{ kind: "refused" }, "E_EGRESS_REFUSED", "h.example is forbidden"],
  [{ kind: "untrusted" }, "E_TLS_UNTRUSTED", "SSL_CERT_FILE"],
  [{ kind: "unauthorized" }, "E_REGISTRY_AUTH", "--creds-stdin"],
  [{ kind: "unreachable" }, "E_REGISTRY_UNREACHABLE", `doctor --registry ${reference}`],
] as const)("%j says what can be done", (fault, code, hint) => {
  const error = registryError(reference, [{ host: "h.example", message: "m", ...fault }]);
  expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) });
});
