import { expect, test } from "vitest";
import { parseImageTable } from "./list-images.js";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test("the table of ctr is read, without the records under an image's id", () => {
  const table = `REF                          TYPE                                                 DIGEST                                                                  SIZE      PLATFORMS   LABELS
registry.example/library/hello:1    application/vnd.docker.distribution.manifest.v2+json ${digest} 2.1 MiB   linux/amd64 io.cri-containerd.image=managed
registry.example/library/empty:1    application/vnd.oci.image.manifest.v1+json           ${digest} 512.0 B   -           -
${digest} application/vnd.docker.distribution.manifest.v2+json ${digest} 2.1 MiB linux/amd64 io.cri-containerd.image=managed
`;
  expect(parseImageTable(table)).toEqual([
    { name: "registry.example/library/empty:1", digest, sizeBytes: 512 },
    { name: "registry.example/library/hello:1", digest, sizeBytes: 2_202_010 },
  ]);
});
