import type { Command } from "commander";
import type { Cluster } from "../../index.js";
import {
  clusterReference,
  parsePort,
  withClusterOptions,
  withJsonOption,
  type ClusterFlags,
  type JsonFlag,
} from "../options.js";
import { perform, printJson, printLines } from "../perform.js";
import { table } from "../table.js";

type PortsFlags = ClusterFlags & JsonFlag;

export function registerPorts(program: Command): void {
  const ports = program
    .command("ports")
    .summary("say where Services are reached from the sandbox, and publish them")
    .description("Says where each Service is reached from the sandbox.");
  withJsonOption(withClusterOptions(ports)).action(async (_flags, self: Command) => {
    const flags = self.optsWithGlobals<PortsFlags>();
    await perform(flags, async (signal) => {
      const found = await (await connect(flags)).ports.list(signal);
      if (flags.json) return printJson(found);
      const rows = found.map(({ namespace, service, name, port, protocol, addresses }) => [
        ...[namespace, service, name === "" ? `${port}` : `${port} (${name})`, protocol],
        addresses.length === 0 ? "its pods' own" : addresses.join(", "),
      ]);
      printLines(table([["NAMESPACE", "SERVICE", "PORT", "PROTOCOL", "ADDRESSES"], ...rows]));
    });
  });
  const publish = ports
    .command("publish")
    .summary("make a Service reachable at a port of the sandbox")
    .description(
      "Makes a Service's port reachable at a port of the sandbox, until it is taken back; the Service may be made later.",
    )
    .argument(
      "<publication...>",
      "HOST-PORT:NAMESPACE/SERVICE:PORT, with /udp at the end for UDP; such as 8080:default/web:80",
    );
  withClusterOptions(publish).action(async (specifications: string[], _flags, self: Command) => {
    const flags = self.optsWithGlobals<PortsFlags>();
    await perform(flags, async (signal) => {
      await (await connect(flags)).ports.publish(specifications, signal);
    });
  });
  const unpublish = ports
    .command("unpublish")
    .summary("take that back")
    .description("Takes back what `publish` has made reachable.")
    .argument("<host-port...>", "ports of the sandbox");
  withClusterOptions(unpublish).action(async (hostPorts: string[], _flags, self: Command) => {
    const flags = self.optsWithGlobals<PortsFlags>();
    await perform(flags, async (signal) => {
      await (await connect(flags)).ports.unpublish(hostPorts.map(parsePort), signal);
    });
  });
}

async function connect(flags: PortsFlags): Promise<Cluster> {
  const { connectCluster } = await import("../../index.js");
  const { name, ...surroundings } = clusterReference(flags);
  return await connectCluster(name, surroundings);
}
