/** What `netload` prints, a line each time, of many exchanges of one sort: requests, lookups or connections. */
export interface RateFigures {
  readonly count: number;
  readonly failures: number;
  /** Empty without failures. */
  readonly firstFailure: string;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

/** A line of `netload requests` or `netload stream`: which of the targets it is about. */
export interface Targeted {
  /** HOST:PORT */
  readonly target: string;
}

/** What `netload stream` prints. */
export interface StreamFigures extends Targeted {
  readonly bytes: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
}

/** A line of `netload requests`. */
export interface RequestFigures extends RateFigures, Targeted {}

/** A line of `netload hold`: one exchange on each connection. */
export interface HeldFigures extends RateFigures {
  /** How many connections are open. */
  readonly open: number;
}

/** A line of `netload watch`: from now on these are the answers. */
export interface Sighting {
  readonly atUnixMilliseconds: number;
  /** Name of the server; empty when there was no answer. */
  readonly answer: string;
  readonly failure: string;
}

/** What `netload soak` prints. */
export interface SoakFigures {
  readonly serviceRequests: RateFigures;
  readonly serviceConnections: RateFigures;
  readonly gatewayRequests: RateFigures;
  readonly gatewayConnections: RateFigures;
  readonly lookups: RateFigures;
}
