import { z } from "zod";
import { SandkubeError, type ErrorCode } from "../errors.js";

/** Why something can not be had from a registry: the kinds that the runtime tells apart. */
const faultKinds = [
  "not-found",
  "unauthorized",
  "rate-limited",
  "refused",
  "proxy-account",
  "untrusted",
  "unreachable",
  "broken",
] as const;
type FaultKind = (typeof faultKinds)[number];

export const registryFaultSchema = z.object({
  kind: z.enum(faultKinds),
  /** The host that was asked, with its port if that is not the scheme's. */
  host: z.string(),
  message: z.string(),
  /** The proxy on the way, without its account. */
  proxy: z.string().optional(),
  /** Who signed a certificate that is not trusted. */
  issuer: z.string().optional(),
  /** How long the server asks to wait. */
  retryAfterMs: z.number().optional(),
});

/** What went wrong at one host. */
export type RegistryFault = z.infer<typeof registryFaultSchema>;

const codes: Readonly<Record<FaultKind, ErrorCode>> = {
  "not-found": "E_REGISTRY_NOT_FOUND",
  unauthorized: "E_REGISTRY_AUTH",
  "rate-limited": "E_REGISTRY_RATE_LIMIT",
  refused: "E_EGRESS_REFUSED",
  "proxy-account": "E_EGRESS_REFUSED",
  untrusted: "E_TLS_UNTRUSTED",
  unreachable: "E_REGISTRY_UNREACHABLE",
  broken: "E_REGISTRY",
};

/**
 * The error for an image that no host gave. The last fault decides its code; the others, of
 * mirrors that were asked before, are told too.
 */
export function registryError(reference: string, faults: readonly RegistryFault[]): SandkubeError {
  const decisive = faults.at(-1);
  if (decisive === undefined) {
    return new SandkubeError("E_REGISTRY", `${reference} can not be pulled`);
  }
  const earlier = faults.slice(0, -1).map(({ host, message }) => `${host}: ${message}`);
  const before = earlier.length === 0 ? "" : `; asked before: ${earlier.join("; ")}`;
  return new SandkubeError(
    codes[decisive.kind],
    `${reference} can not be pulled from ${decisive.host}: ${decisive.message}${before}`,
    { hint: faultHint(reference, decisive), details: { reference, faults } },
  );
}

const preload = "`sandkube image load FILE` brings an image without a registry";

/** What can be done about a fault. */
export function faultHint(reference: string, fault: RegistryFault): string {
  const { host } = fault;
  const test = `\`sandkube doctor --registry ${reference}\` tests the way step by step.`;
  switch (fault.kind) {
    case "not-found":
      return "Check the name, the tag or digest; some registries say so of what needs an account, too.";
    case "unauthorized":
      return `Give an account for ${host}: by \`--creds-stdin\`, docker's config.json or registries.yaml; to pods by imagePullSecrets.`;
    case "rate-limited": {
      const wait =
        fault.retryAfterMs === undefined
          ? "Wait"
          : `Wait ${Math.ceil(fault.retryAfterMs / 1_000)} s`;
      return `${wait}, use an account, or name a mirror in registries.yaml; ${preload}.`;
    }
    case "refused":
      return `The way to ${host} is forbidden, the image is not at fault. Have the host allowed, name a mirror that is allowed in registries.yaml, or preload: ${preload}.`;
    case "proxy-account":
      return "Put the proxy's account into HTTPS_PROXY and HTTP_PROXY, as http://USER:PASSWORD@HOST:PORT, then `sandkube down` and `sandkube up`.";
    case "untrusted":
      return `If the signer is your sandbox's proxy, name its CA certificate in SSL_CERT_FILE, then \`sandkube down\` and \`sandkube up\`; if it is the registry's own CA, in tls.ca_file of registries.yaml. ${test}`;
    case "unreachable":
      return `Check the name, HTTPS_PROXY and NO_PROXY, or name a mirror in registries.yaml; ${preload}. ${test}`;
    case "broken":
      return `${test} A registry without TLS needs --insecure, or an http:// endpoint in registries.yaml.`;
  }
}
