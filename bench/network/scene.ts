import { OutputLines } from "../../e2e/harness/output-lines.js";
import type { Pod, Service } from "../../e2e/harness/kubernetes.js";
import { jsonLines, Sandkube, type StartedCommand } from "../../e2e/harness/sandkube.js";
import type { Sandbox } from "../../lab/src/index.js";
import { bootEvents } from "../sandkube/boot-events.js";
import { requireTimed } from "../timed-command.js";
import type { NetloadImage } from "./image.js";

/** HOST:PORT of a server that answers requests, and of one that sends streams. */
export interface Target {
  readonly http: string;
  readonly stream: string;
}

const ports = { http: 8080, stream: 8081 } as const;
/** Ports of the sandbox's own server; those of pods are in namespaces of their own. */
const sandboxPorts = { http: 18_080, stream: 18_081 } as const;
const limitMs = 180_000;
const clientPod = ["client", "--", "netload"] as const;

/** A cluster with a client, its servers, and a server of the sandbox outside the pod network. */
export class Scene {
  readonly sandbox: Sandbox;
  readonly sandkube: Sandkube;
  /** Path inside of the administrator's kubeconfig. */
  readonly kubeconfigPath: string;
  readonly signal: AbortSignal;
  /** Path inside of the load generator. */
  readonly #program: string;

  private constructor(
    sandbox: Sandbox,
    inside: { kubeconfigPath: string; program: string },
    signal: AbortSignal,
  ) {
    this.sandbox = sandbox;
    this.sandkube = new Sandkube(sandbox);
    this.kubeconfigPath = inside.kubeconfigPath;
    this.#program = inside.program;
    this.signal = signal;
  }

  /** Starts the cluster in a sandbox that shows the image's directory, and waits for its pods. */
  static async start(sandbox: Sandbox, image: NetloadImage, signal: AbortSignal): Promise<Scene> {
    const options = { signal, limitMs };
    const { lines } = await requireTimed(sandbox, ["sandkube", "up", "--json"], options);
    const inside = (name: string): string => sandbox.pathInside(`${image.directory}/${name}`);
    const { kubeconfigPath } = bootEvents(lines);
    const scene = new Scene(sandbox, { kubeconfigPath, program: inside(image.program) }, signal);
    await scene.sandkube.do(["image", "load", inside(image.archive)], {
      signal,
      timeoutMs: limitMs,
    });
    await scene.sandkube.apply("bench/network/manifests/scene.yaml");
    await scene.sandkube.untilReady("netload=yes");
    await scene.#serveOnNode();
    return scene;
  }

  /** A server's pod, without anything in between. */
  async podTarget(name: string): Promise<Target> {
    return targetAt(await this.podAddress(name), ports);
  }

  async podAddress(name: string): Promise<string> {
    const { status } = await this.sandkube.get<Pod>("pod", name);
    if (status.podIP === undefined) throw new Error(`pod ${name} has no address`);
    return status.podIP;
  }

  async serviceTarget(name: string): Promise<Target> {
    const { spec } = await this.sandkube.get<Service>("service", name);
    return targetAt(spec.clusterIP, ports);
  }

  /** The server outside the pod network, at the sandbox's own address. */
  get sandboxTarget(): Target {
    const { link } = this.sandbox;
    if (link === null) throw new Error("the sandbox has no address");
    return targetAt(link.address, sandboxPorts);
  }

  /** Runs a verb of the load generator in the client's pod; `F` is a line of what it prints. */
  async measureInPod<F>(args: readonly string[], timeoutMs = limitMs): Promise<F[]> {
    const argv = ["kubectl", "exec", ...clientPod, ...args];
    return jsonLines<F>(await this.sandkube.do(argv, { signal: this.signal, timeoutMs }));
  }

  /** The same as a process of the sandbox, beside the cluster. */
  async measureOnNode<F>(args: readonly string[]): Promise<F[]> {
    const argv = [this.#program, ...args];
    const options = { signal: this.signal, timeoutMs: limitMs };
    const { exitCode, stdout, stderr } = await this.sandbox.exec(argv, options);
    if (exitCode !== 0) throw new Error(`${argv.join(" ")}: exit code ${exitCode}\n${stderr}`);
    return jsonLines<F>(stdout);
  }

  /** Starts a verb in the client's pod that goes on until its standard input ends. */
  startInPod(args: readonly string[]): StartedCommand {
    return this.sandkube.start(["kubectl", "exec", "-i", ...clientPod, ...args]);
  }

  /** Runs a program of `bench/network/inside`, which has to succeed, and returns its output. */
  async runInside(program: string, args: readonly string[]): Promise<string> {
    const script = `${this.sandbox.checkout}/bench/network/inside/${program}`;
    const argv = ["node", script, this.kubeconfigPath, ...args];
    const options = { signal: this.signal, timeoutMs: limitMs };
    const { exitCode, stdout, stderr } = await this.sandbox.exec(argv, options);
    if (exitCode !== 0) throw new Error(`${program}: exit code ${exitCode}\n${stderr}`);
    return stdout;
  }

  /** The server ends with the sandbox. */
  async #serveOnNode(): Promise<void> {
    const { http, stream } = sandboxPorts;
    const argv = [this.#program, "serve", "--http", `:${http}`, "--stream", `:${stream}`];
    const output = new OutputLines(this.sandbox.spawn(argv));
    await output.until("netload serve listens", (line) =>
      line.startsWith("answering at") ? line : null,
    );
  }
}

function targetAt(address: string, { http, stream }: typeof ports | typeof sandboxPorts): Target {
  return { http: `${address}:${http}`, stream: `${address}:${stream}` };
}
