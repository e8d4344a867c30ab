import { describe, expect, it } from "vitest";
import { textOf } from "../table.js";
import type { RateFigures } from "./figures.js";
import { networkSections } from "./report.js";
import { networkResult } from "./results.js";
import type { NetworkRound } from "./rounds.js";
import { networkTargets } from "./targets.js";

const MB = 1e6;

function rate(perSecond: number, p50Microseconds: number, failures = 0): RateFigures {
  return {
    count: perSecond,
    failures,
    firstFailure: failures > 0 ? "refused" : "",
    seconds: 1,
    perSecond,
    p50Microseconds,
    p99Microseconds: 2 * p50Microseconds,
  };
}

function requests(perSecond: number, p50Microseconds: number) {
  return { target: "192.0.2.1:80", ...rate(perSecond, p50Microseconds) };
}

function stream(bytesPerSecond: number) {
  return { target: "192.0.2.1:81", bytes: bytesPerSecond, seconds: 1, bytesPerSecond };
}

function path(...services: readonly { perSecond: number; p50: number }[]) {
  const turns = services.map(({ perSecond, p50 }) => ({
    direct: requests(1_000, 200),
    through: requests(perSecond, p50),
  }));
  return {
    oneConnection: turns,
    sixteenConnections: turns,
    stream: [{ direct: stream(100 * MB), through: stream(80 * MB) }],
  };
}

function process(proportionalBytes: number, openDescriptors: number) {
  return { proportionalBytes, anonymousBytes: 20 * MB, openDescriptors, threads: 9 };
}

function round(
  service: NetworkRound["service"],
  { changesMs = [50, 900], failures = 0, hasSoak = false } = {},
): NetworkRound {
  const lookups = { oneQuestion: [rate(800, 1_200)], sixteenQuestions: [rate(2_000, 8_000)] };
  const held = (failures: number) => ({ open: 2_000 - failures, ...rate(500, 40_000, failures) });
  return {
    service,
    gateway: path({ perSecond: 400, p50: 500 }),
    lookups,
    many: {
      before: process(40 * MB, 20),
      withServices: process(58 * MB, 1_020),
      withConnections: process(90 * MB, 5_020),
      changesBeforeMs: [40],
      changesMs,
      creationMs: 12_000,
      opening: held(failures),
      using: held(0),
    },
    soak: hasSoak ? soak : null,
  };
}

const soak: NetworkRound["soak"] = {
  start: process(58 * MB, 1_020),
  end: process(59 * MB, 1_021),
  figures: {
    serviceRequests: rate(40, 700),
    serviceConnections: rate(18, 2_000),
    gatewayRequests: rate(40, 800),
    gatewayConnections: rate(18, 2_100),
    lookups: rate(45, 1_300, 1),
  },
};

const good = path({ perSecond: 700, p50: 300 }, { perSecond: 650, p50: 340 });

function verdicts(rounds: NetworkRound[], kind: "g26" | "g24" = "g26") {
  const targets = networkTargets([networkResult(kind, rounds)]);
  return Object.fromEntries(targets.map(({ id, met }) => [id, met]));
}

describe("networkResult", () => {
  it("divides within a turn, and takes the median over all turns of all rounds", () => {
    const uneven = path({ perSecond: 100, p50: 250 }, { perSecond: 900, p50: 250 });
    const { service } = networkResult("g26", [round(good), round(uneven)]);
    expect(service.oneConnection.ratio.samples).toEqual([0.7, 0.65, 0.1, 0.9]);
    expect(service.oneConnection.ratio.median).toBeCloseTo(0.675);
    expect(service.oneConnection.addedP50Microseconds.samples).toEqual([100, 140, 50, 50]);
    expect(service.stream.ratio.median).toBe(0.8);
  });

  it("adds up failures", () => {
    const { many } = networkResult("g26", [
      round(good, { failures: 2 }),
      round(good, { failures: 3 }),
    ]);
    expect(many.failedConnections).toBe(5);
  });
});

describe("networkTargets", () => {
  it("finds all of them met when they are", () => {
    const met = Object.values(verdicts([round(good)])).filter((verdict) => verdict !== null);
    expect(met).toEqual(Array.from({ length: 8 }, () => true));
  });

  it("finds those that are missed", () => {
    const slow = path({ perSecond: 500, p50: 400 });
    const missed = verdicts([round(slow, { changesMs: [50, 1_100, 60], failures: 1 })]);
    expect(missed).toMatchObject({
      "service-requests-1": false,
      "service-requests-16": false,
      "service-stream": true,
      "service-added-p50": false,
      "dns-p50": true,
      memory: true,
      change: false,
      connections: false,
    });
  });

  it("sets limits in the newest gVisor alone", () => {
    expect(new Set(Object.values(verdicts([round(good)], "g24")))).toEqual(new Set([null]));
  });
});

describe("networkSections", () => {
  const textFor = (rounds: NetworkRound[]): string => {
    const results = [networkResult("g26", rounds), networkResult("bare", rounds)];
    return textOf(networkSections(results, networkTargets(results)));
  };

  it("has a column for each kind of sandbox", () => {
    const text = textFor([round(good)]);
    expect(text).toContain("58 MB (20 own), 1020 descriptors, 9 threads  58 MB (20 own)");
    expect(text).toMatch(/1 connection: ratio of requests\/s +0\.68 \(0\.65-0\.70\)  0\.68/);
    expect(text).not.toContain("steady load");
  });

  it("tells of the soak when there was one", () => {
    const text = textFor([round(good, { hasSoak: true })]);
    expect(text).toMatch(/5 minutes of a steady load/);
    expect(text).toMatch(/lookups: rate per s, failures +45, 1 +45, 1\n/);
  });
});
