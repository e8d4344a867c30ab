import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRegistriesConfig, translateRegistries } from "../boot/registries.js";
import { parseClusterOptions } from "../config/cluster-options.js";
import { collectCaBundle } from "../egress/ca-bundle.js";
import { replaceEgress, wayOutOf } from "../egress/way-out.js";
import { checkRegistry, type RegistryStep } from "../images/check-registry.js";
import type { RegistryAccount } from "../images/registry-tool.js";
import { removeTree } from "../platform/files.js";
import { surroundingsOf, type SurroundingsOptions } from "./surroundings.js";

export interface ExamineRegistryOptions extends SurroundingsOptions {
  /** Absolute path of a registries.yaml; by default the usual places are looked at. */
  registriesConfig?: string | undefined;
  /** Accept any certificate, and HTTP where there is no TLS. */
  insecure?: boolean | undefined;
  account?: RegistryAccount | undefined;
  signal?: AbortSignal | undefined;
  /** Receives each step once it is done or has failed. */
  onStep?: ((step: RegistryStep) => void) | undefined;
}

/**
 * Tests the way to an image step by step, with the mirrors, certificates and proxies that a cluster
 * would have which is started now. Needs no cluster, and leaves nothing behind. Throws a code that
 * tells the cause, E_REGISTRY*, E_EGRESS_REFUSED or E_TLS_UNTRUSTED, when no host gives the image.
 */
export async function examineRegistry(
  reference: string,
  options: ExamineRegistryOptions = {},
): Promise<void> {
  const { dataDirectory, locate } = surroundingsOf(options);
  const programs = await locate();
  const scratch = await fs.mkdtemp(join(tmpdir(), "sandkube-registry-"));
  try {
    const settings = {
      registryHosts: join(scratch, "hosts"),
      registryAccounts: join(scratch, "accounts.json"),
    };
    const file = await findRegistriesConfig(options.registriesConfig ?? null);
    if (file !== null) await translateRegistries(programs, file, settings, options.signal);
    const caBundle = join(scratch, "ca-bundle.pem");
    await fs.writeFile(caBundle, (await collectCaBundle(process.env)).pem);
    const { roleEnvironment } = wayOutOf({
      options: parseClusterOptions({ dataDirectory }),
      environment: process.env,
      caBundle,
      proxyPods: false,
    });
    await checkRegistry(programs, reference, {
      insecure: options.insecure ?? false,
      account: options.account ?? null,
      hostsDirectory: settings.registryHosts,
      accountsFile: settings.registryAccounts,
      environment: replaceEgress(process.env, roleEnvironment),
      signal: options.signal,
      onStep: options.onStep ?? (() => {}),
    });
  } finally {
    await removeTree(scratch);
  }
}
