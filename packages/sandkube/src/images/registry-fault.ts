import { z } from "zod";

/** What went wrong at one host, as the runtime tells it apart. */
export const registryFaultSchema = z.object({
  kind: z.enum([
    "not-found",
    "unauthorized",
    "rate-limited",
    "refused",
    "proxy-account",
    "untrusted",
    "unreachable",
    "broken",
  ]),
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
