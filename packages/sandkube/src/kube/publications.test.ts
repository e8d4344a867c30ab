import { describe, expect, it } from "vitest";
import { parsePublication } from "./publications.js";

describe("parsePublication", () => {
  it("reads a port of the sandbox, a Service and its port by name or number", () => {
    expect(parsePublication("8080:default/web:http")).toEqual({
      hostPort: 8080,
      protocol: "TCP",
      namespace: "default",
      service: "web",
      port: "http",
    });
    expect(parsePublication("5353:a/b:53/udp")).toMatchObject({ protocol: "UDP", port: "53" });
    expect(parsePublication("80:a/b:53/tcp")).toMatchObject({ protocol: "TCP" });
  });

  it.each(["", "8080", "8080:web:80", "0:a/b:80", "65536:a/b:80", "80:a/b", "80:a/b:80/sctp"])(
    "refuses %j and says what is expected",
    (text) => {
      expect(() => parsePublication(text)).toThrow(
        expect.objectContaining({
          code: "E_CONFIG",
          hint: expect.stringContaining("HOST-PORT:NAMESPACE/SERVICE:PORT"),
        }),
      );
    },
  );
});
