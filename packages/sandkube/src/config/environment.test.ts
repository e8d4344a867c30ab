import { describe, expect, it } from "vitest";
import { readEnvironment } from "./environment.js";

describe("readEnvironment", () => {
  it.each([
    ["root", {}, 0, "/var/lib/sandkube"],
    ["a user", { HOME: "/home/u" }, 1000, "/home/u/.local/share/sandkube"],
    ["XDG_DATA_HOME", { HOME: "/home/u", XDG_DATA_HOME: "/x" }, 1000, "/x/sandkube"],
    ["SANDKUBE_DATA", { HOME: "/home/u", SANDKUBE_DATA: "/d" }, 1000, "/d"],
    ["an empty SANDKUBE_DATA", { SANDKUBE_DATA: "" }, 0, "/var/lib/sandkube"],
  ])("finds the data directory: %s", (_name, environment, uid, dataDirectory) => {
    expect(readEnvironment(environment, uid).dataDirectory).toBe(dataDirectory);
  });

  it("passes on the programs, the cluster and the wish for no colours", () => {
    const environment = { SANDKUBE_PROGRAMS: "/p", SANDKUBE_CLUSTER: "two", NO_COLOR: "1" };
    expect(readEnvironment(environment, 0)).toMatchObject({
      programs: "/p",
      cluster: "two",
      color: false,
    });
    expect(readEnvironment({}, 0)).toMatchObject({
      programs: undefined,
      cluster: undefined,
      color: true,
    });
  });

  it.each([
    ["SANDKUBE_DATA", { SANDKUBE_DATA: "data" }, 0],
    ["SANDKUBE_PROGRAMS", { SANDKUBE_PROGRAMS: "./bin" }, 0],
    ["SANDKUBE_CLUSTER", { SANDKUBE_CLUSTER: "Not A Name" }, 0],
    ["HOME", {}, 1000],
  ])("refuses an unusable %s by name", (name, environment, uid) => {
    expect(() => readEnvironment(environment, uid)).toThrow(
      expect.objectContaining({ code: "E_CONFIG", message: expect.stringContaining(name) }),
    );
  });
});
