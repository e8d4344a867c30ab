import type { Patch } from "./patch.js";

/** The patch that puts the OCI adapter (runtime/upstream/runc/ociadapter) into runc's own process. */
export const ociAdapter: readonly Patch[] = [
  {
    id: "oci-adapter",
    module: "github.com/opencontainers/runc",
    file: "main.go",
    edits: [
      {
        find: '\t"github.com/urfave/cli"\n)\n',
        replace: '\t"github.com/urfave/cli"\n\n\t"sandkube.dev/upstream/runc/ociadapter"\n)\n',
      },
      {
        find: "func main() {\n\tapp := cli.NewApp()\n",
        replace: "func main() {\n\tos.Args = ociadapter.Main(os.Args)\n\tapp := cli.NewApp()\n",
      },
    ],
    reason:
      "A container's spec has to be edited before runc reads it. In gVisor, even an empty program that only " +
      "starts runc adds 10 ms to each call of runc, of which a container has several. runc has no way to " +
      "load a part of another program. Under the name runc nothing is changed, and `runc init`, which the " +
      "program starts in containers, does not reach main.",
    upstream: "https://github.com/opencontainers/runc/blob/v1.3.6/main.go",
    removeWhen:
      "no supported sandbox needs a container's spec to be edited, or containerd's shim can edit it",
  },
];
