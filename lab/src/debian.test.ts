import { describe, expect, it } from "vitest";
import { parseAptSources } from "./debian.js";

describe("parseAptSources", () => {
  it("reads deb822 stanzas, with comments and several suites", () => {
    const text = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
`;
    const components = ["main", "contrib"];
    expect(parseAptSources(text, "deb822")).toEqual([
      { uri: "http://mirror.example/debian", suite: "bookworm", components },
      { uri: "http://mirror.example/debian", suite: "bookworm-updates", components },
    ]);
  });

  it("reads one-line entries, with and without options", () => {
    const text = `# deb http://commented.example/debian sid main
deb http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/key.gpg] https://other.example bookworm stable
deb-src http://mirror.example/debian bookworm main
`;
    expect(parseAptSources(text, "one-line")).toEqual([
      { uri: "http://mirror.example/debian", suite: "bookworm", components: ["main"] },
      { uri: "https://other.example", suite: "bookworm", components: ["stable"] },
    ]);
  });
});
