import { expect, it } from "vitest";
import { imagesOfPod } from "./used-images.js";

it("reads a pod's images from the columns that kubectl prints", () => {
  const line =
    "pods-1   a.example/b/agnhost:2,busybox:1   a.example:5000/x/init:3   <none>   <none>";
  expect(imagesOfPod(line)).toEqual({
    namespace: "pods-1",
    images: ["agnhost:2", "busybox:1", "init:3"],
  });
});
