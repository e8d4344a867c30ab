import type { ExecOptions } from "../../lab/src/index.js";
import { testImages } from "../images/test-images.js";
import { OutputLines } from "./output-lines.js";
import type { Sandkube } from "./sandkube.js";

/** Registries and proxies that run in a sandbox: see e2e/images/outside. */
export interface OutsideWorld extends AsyncDisposable {
  /** Directory inside with the CAs' certificates and the registries.yaml. */
  readonly directory: string;
  /** The sandbox's own address, at which the registries listen. */
  readonly address: string;
  /** The environment of a sandbox whose way out is the strict proxy. */
  readonly environment: NonNullable<ExecOptions["env"]>;
  /** Lets the layer come that stops half-way. */
  release(): Promise<void>;
}

const ownAddress =
  "import os from 'node:os'; console.log(Object.values(os.networkInterfaces()).flat()" +
  ".find((a) => !a.internal && a.family === 'IPv4').address)";

/** Starts them, and writes a registries.yaml about them. */
export async function outsideWorld({ sandbox }: Sandkube): Promise<OutsideWorld> {
  const output = async (...argv: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await sandbox.exec(argv);
    if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  const images = await testImages(AbortSignal.timeout(120_000));
  const inside = (name: string) => sandbox.pathInside(`${images.directory}/${name}`);
  const address = await output("node", "--input-type=module", "-e", ownAddress);
  const directory = await output("mktemp", "-d");
  const child = sandbox.spawn([inside(images.outside), directory, address, inside("busybox.tar")]);
  await new OutputLines(child).until("the registries' start", (line) =>
    line === "listening" ? line : null,
  );
  const registries = `
mirrors:
  mirrored.example: {endpoint: ["http://${address}:5003", "http://${address}:5001"]}
  prefixed.example: {endpoint: ["http://${address}:5001"], rewrite: {"^(.*)$": "proxy/$1"}}
  renamed.example: {endpoint: ["http://${address}:5001"], rewrite: {"^old/(.*)": "team/$1"}}
  filed.example: {endpoint: ["https://${address}:5002"]}
  "${address}:5001": {endpoint: ["http://${address}:5001"]}
  "${address}:5003": {endpoint: ["http://${address}:5003"]}
  "${address}:5004": {endpoint: ["http://${address}:5004"]}
configs:
  "${address}:5002": {auth: {username: user, password: sesame}, tls: {ca_file: ${directory}/ca.pem}}
`;
  await sandbox.exec(["tee", `${directory}/registries.yaml`], { stdin: registries });
  return {
    directory,
    address,
    environment: {
      HTTPS_PROXY: "http://proxy:hush@127.0.0.1:3128",
      NO_PROXY: address,
      SSL_CERT_FILE: `${directory}/ca.pem`,
    },
    release: async () => void (await output("touch", `${directory}/release`)),
    async [Symbol.asyncDispose]() {
      await child.kill("SIGKILL");
      await child.exited;
      await sandbox.exec(["rm", "-r", directory]);
    },
  };
}
