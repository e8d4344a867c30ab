import * as fs from "node:fs/promises";
import type { Environment } from "../config/environment.js";

/** Where distributions keep all CA certificates in one file: the list of Go's crypto/x509. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Variables by which sandboxes tell programs whom else to trust, such as a proxy's CA. */
export const caVariables = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
] as const;

/** One file of CA certificates. */
export interface CaSource {
  /** The variable that names it, or "system". */
  from: string;
  file: string;
  /** How many certificates it added. */
  certificates: number;
}

/** All CA certificates that programs of the sandbox trust. */
export interface CaBundle {
  /** Each certificate once, as PEM. */
  pem: string;
  sources: CaSource[];
  /** What a variable names and could not be used, for people. */
  problems: string[];
}

/**
 * Gathers the CA certificates of the system and those that the environment names, so that one file
 * holds what different programs are told by different variables.
 */
export async function collectCaBundle(environment: Environment): Promise<CaBundle> {
  const certificates = new Set<string>();
  const sources: CaSource[] = [];
  const problems: string[] = [];
  const add = async (from: string, file: string): Promise<boolean> => {
    let text: string;
    try {
      text = await fs.readFile(file, "utf8");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (from !== "system") problems.push(`${from} names a file that can not be read: ${reason}.`);
      return false;
    }
    const found = certificatesIn(text);
    const before = certificates.size;
    for (const certificate of found) certificates.add(certificate);
    if (found.length === 0) {
      if (from !== "system") problems.push(`${from} names ${file}, which holds no certificate.`);
      return false;
    }
    sources.push({ from, file, certificates: certificates.size - before });
    return true;
  };
  for (const file of systemBundles) if (await add("system", file)) break;
  for (const name of caVariables) {
    const file = environment[name];
    if (file && !sources.some((source) => source.file === file)) await add(name, file);
  }
  return { pem: [...certificates].map((text) => `${text}\n`).join(""), sources, problems };
}

/** The certificates in a PEM text, in one spelling each; other blocks, such as keys, are left out. */
function certificatesIn(pem: string): string[] {
  const blocks = pem.matchAll(
    /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g,
  );
  return [...blocks].map(([, body = ""]) => {
    const lines = body.replaceAll(/\s+/g, "").match(/.{1,64}/g) ?? [];
    return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----"].join("\n");
  });
}
