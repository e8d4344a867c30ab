import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Sandbox } from "../../lab/src/index.js";

/** A pod's images in the columns that `kubectl get` prints; each column a comma list, or `<none>`. */
const columns = [
  "NAMESPACE:.metadata.namespace",
  "CONTAINERS:.spec.containers[*].image",
  "INIT:.spec.initContainers[*].image",
  "EPHEMERAL:.spec.ephemeralContainers[*].image",
  "VOLUMES:.spec.volumes[*].image.reference",
].join(",");

const pauseMs = 500;

/** The images of a cluster's pods, by namespace, from when it was made until it is disposed. */
export class UsedImages implements AsyncDisposable {
  readonly #byNamespace = new Map<string, Set<string>>();
  readonly #end = new AbortController();
  readonly #watching: Promise<void>;

  constructor(sandbox: Sandbox, kubeconfigPath: string) {
    this.#watching = this.#watch(sandbox, kubeconfigPath);
  }

  /** Images of pods of these namespaces, without the registries' names, by name. */
  in(namespaces: readonly string[]): string[] {
    const images = namespaces.flatMap((name) => [...(this.#byNamespace.get(name) ?? [])]);
    return [...new Set(images)].toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#watching;
  }

  /** The API server ends a watch after a while: then the next begins. */
  async #watch(sandbox: Sandbox, kubeconfigPath: string): Promise<void> {
    const { signal } = this.#end;
    const argv = [
      ...[`${sandbox.checkout}/conformance/inside/kubectl`, `--kubeconfig=${kubeconfigPath}`],
      ...["get", "pods", "--all-namespaces", "--watch", "--no-headers"],
      ...["--output", `custom-columns=${columns}`],
    ];
    while (!signal.aborted) {
      const child = sandbox.spawn(argv, { signal });
      child.stdin.end();
      child.stderr.resume();
      createInterface({ input: child.stdout }).on("line", (line) => this.#note(imagesOfPod(line)));
      await child.exited.catch(() => undefined);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #note({ namespace, images }: PodImages): void {
    const known = this.#byNamespace.get(namespace) ?? new Set();
    for (const image of images) known.add(image);
    this.#byNamespace.set(namespace, known);
  }
}

interface PodImages {
  readonly namespace: string;
  /** Without the registries' names. */
  readonly images: readonly string[];
}

/** What a line of `kubectl get` in these columns says of a pod. */
export function imagesOfPod(line: string): PodImages {
  const [namespace = "", ...lists] = line.trim().split(/ +/);
  const images = lists.flatMap((list) => (list === "<none>" ? [] : list.split(",")));
  return { namespace, images: images.map(nameWithoutRegistry) };
}

/** `agnhost:2.63.0` for an image of that name, wherever it lies. */
function nameWithoutRegistry(image: string): string {
  return image.slice(image.lastIndexOf("/") + 1);
}
