import { expect, test } from "vitest";
import { reportEgress } from "./egress-report.js";

const environment = { HTTPS_PROXY: "http://user:secret@proxy.example:3128" };

test("a proxy is told without its account, and as the only way out where there is no route", async () => {
  const report = await reportEgress(environment, false);
  expect(report).toMatchObject({ httpProxy: null, httpsProxy: "http://***@proxy.example:3128" });
  expect(JSON.stringify(report)).not.toContain("secret");
  expect(report.warnings).toContainEqual(expect.stringContaining("the only way out"));
});

test("without a proxy only a missing route is worth a warning", async () => {
  expect((await reportEgress({}, false)).warnings).toContainEqual(
    expect.stringContaining("no default route"),
  );
  expect((await reportEgress({}, true)).warnings.join()).not.toMatch(/route|proxy/);
});
