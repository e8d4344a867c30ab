import { SandkubeError } from "../errors.js";
import type { ClientCredentials } from "../platform/https.js";

/** What a client needs from a kubeconfig of one cluster and one user. */
export interface KubeconfigCredentials extends ClientCredentials {
  /** URL of the API server. */
  server: string;
}

/**
 * Reads a kubeconfig in the form in which the runtime writes it: YAML with one cluster
 * and one user, whose certificates and key are embedded in base64. Throws E_STATE for
 * any other.
 */
export function parseKubeconfig(text: string, file: string): KubeconfigCredentials {
  const scalar = (key: string): string => {
    const found = [...text.matchAll(new RegExp(`^[ \\t-]*"?${key}"?:[ \\t]*(\\S+)[ \\t]*$`, "gm"))];
    const value = found[0]?.[1]?.replace(/^(["'])(.*)\1,?$/, "$2");
    if (found.length !== 1 || !value) {
      throw new SandkubeError(
        "E_STATE",
        `the kubeconfig ${file} has ${found.length} entries "${key}" where one is expected`,
        { hint: "`sandkube down` and `sandkube up` write it again.", details: { file } },
      );
    }
    return value;
  };
  const decoded = (key: string) => Buffer.from(scalar(key), "base64").toString("utf8");
  return {
    server: scalar("server"),
    certificateAuthority: decoded("certificate-authority-data"),
    certificate: decoded("client-certificate-data"),
    key: decoded("client-key-data"),
  };
}
