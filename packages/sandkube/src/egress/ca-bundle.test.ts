import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../platform/testing/temporary-directory.js";
import { collectCaBundle } from "./ca-bundle.js";

const certificate = (body: string) =>
  `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

test("gathers what the variables name, each certificate once and nothing but certificates", async () => {
  const directory = await temporaryDirectory();
  const one = join(directory, "one.pem");
  const two = join(directory, "two.pem");
  await writeFile(one, `# a comment\n${certificate("c2FuZGt1YmUgb25lIQ==")}`);
  await writeFile(
    two,
    `${certificate("c2FuZGt1\r\nYmUgb25lIQ==")}-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n${certificate("dHdv")}`,
  );
  const bundle = await collectCaBundle({ SSL_CERT_FILE: one, NODE_EXTRA_CA_CERTS: two });
  expect(bundle.pem.match(/c2FuZGt1YmUgb25lIQ==/g)).toHaveLength(1);
  expect(bundle.pem).toContain(certificate("dHdv"));
  expect(bundle.pem).not.toContain("c2VjcmV0");
  expect(bundle.sources.filter(({ from }) => from !== "system")).toEqual([
    { from: "SSL_CERT_FILE", file: one, certificates: 1 },
    { from: "NODE_EXTRA_CA_CERTS", file: two, certificates: 1 },
  ]);
  expect(bundle.problems).toEqual([]);
});

test("names what it can not use", async () => {
  const directory = await temporaryDirectory();
  const empty = join(directory, "empty.pem");
  await writeFile(empty, "");
  const missing = join(directory, "missing.pem");
  const { problems } = await collectCaBundle({ SSL_CERT_FILE: missing, CURL_CA_BUNDLE: empty });
  expect(problems).toEqual([
    expect.stringContaining(`SSL_CERT_FILE names a file that can not be read: ENOENT`),
    `CURL_CA_BUNDLE names ${empty}, which holds no certificate.`,
  ]);
});
