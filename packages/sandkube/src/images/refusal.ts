import { z } from "zod";
import { SandkubeError, type ErrorCode } from "../errors.js";
import { registryFaultSchema, type RegistryFault } from "./registry-fault.js";

/** Why the runtime does not do what it was asked, in words for people. */
export const refusalSchema = z.object({
  kind: z.enum(["invalid", "platform", "space", "not-found", "in-use", "usage", "registry"]),
  message: z.string(),
  /** What to do; may be empty. */
  hint: z.string(),
  /** Of the kind `registry`: what went wrong at each host that was asked, the decisive one last. */
  faults: z.array(registryFaultSchema).default([]),
});
export type Refusal = z.infer<typeof refusalSchema>;

const codes: Readonly<Record<Exclude<Refusal["kind"], "registry">, ErrorCode>> = {
  invalid: "E_IMAGE_INVALID",
  platform: "E_IMAGE_PLATFORM",
  space: "E_IMAGE_SPACE",
  "not-found": "E_IMAGE_NOT_FOUND",
  "in-use": "E_IMAGE_IN_USE",
  usage: "E_USAGE",
};

const registryCodes: Readonly<Record<RegistryFault["kind"], ErrorCode>> = {
  "not-found": "E_REGISTRY_NOT_FOUND",
  unauthorized: "E_REGISTRY_AUTH",
  "rate-limited": "E_REGISTRY_RATE_LIMIT",
  refused: "E_EGRESS_REFUSED",
  "proxy-account": "E_EGRESS_REFUSED",
  untrusted: "E_TLS_UNTRUSTED",
  unreachable: "E_REGISTRY_UNREACHABLE",
  broken: "E_REGISTRY",
};

/** The error for a refusal. `failure` is what could not be done, such as "hello:1 can not be pulled". */
export function refusalError(
  { kind, message, hint, faults }: Refusal,
  failure: string,
): SandkubeError {
  const decisive = faults.at(-1)?.kind ?? "broken";
  const code = kind === "registry" ? registryCodes[decisive] : codes[kind];
  return new SandkubeError(code, `${failure}: ${message}`, {
    ...(hint === "" ? {} : { hint }),
    ...(faults.length === 0 ? {} : { details: { faults } }),
  });
}
