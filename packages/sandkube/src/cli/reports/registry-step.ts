import type { RegistryStep } from "../../index.js";
import { styleOf } from "../style.js";

const titles: Readonly<Record<RegistryStep["name"], string>> = {
  "name-lookup": "name lookup",
  connect: "connection",
  tls: "TLS",
  ping: "answer",
  token: "account",
  manifest: "manifest",
  blob: "layer",
};

/** A step of the way to a registry as a line, such as `ok      registry.example  TLS: ...`. */
export function formatRegistryStep({ name, host, detail, fault }: RegistryStep): string {
  const style = styleOf(process.stdout);
  const state = fault === undefined ? style.green("ok    ") : style.red("failed");
  const elsewhere = fault === undefined || fault.host === host ? "" : `${fault.host}: `;
  const proxy = fault?.proxy === undefined ? "" : ` (by way of the proxy ${fault.proxy})`;
  return `${state}  ${host}  ${titles[name]}: ${elsewhere}${detail}${proxy}`;
}
