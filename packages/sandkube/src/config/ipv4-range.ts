/** An IPv4 range in CIDR notation; `first` is its network address as an unsigned 32-bit number. */
export interface Ipv4Range {
  first: number;
  prefix: number;
}

/** Parses "10.42.0.0/16". Throws a RangeError when it is not a range or has bits set behind its prefix. */
export function parseIpv4Range(text: string): Ipv4Range {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not an IPv4 range such as 10.42.0.0/16`);
  const bytes = match.slice(1, 5).map(Number);
  const prefix = Number(match[5]);
  if (bytes.some((byte) => byte > 255) || prefix > 32) {
    throw new RangeError(`"${text}" is not an IPv4 range such as 10.42.0.0/16`);
  }
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const first = address - (address % sizeOf(prefix));
  if (first !== address) {
    throw new RangeError(
      `"${text}" has bits set behind its prefix; did you mean ${formatIpv4(first)}/${prefix}?`,
    );
  }
  return { first, prefix };
}

/** The range that an address with a prefix length, such as "192.0.2.7/24", lies in. Throws a RangeError. */
export function enclosingIpv4Range(text: string): Ipv4Range {
  const [address = "", prefix = ""] = text.split("/");
  const { first } = parseIpv4Range(`${address}/32`);
  const range = parseIpv4Range(`0.0.0.0/${prefix}`);
  return { first: first - (first % sizeOf(range.prefix)), prefix: range.prefix };
}

/** Whether parseIpv4Range takes the text. */
export function isIpv4Range(text: string): boolean {
  try {
    parseIpv4Range(text);
    return true;
  } catch {
    return false;
  }
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

export function rangesOverlap(a: Ipv4Range, b: Ipv4Range): boolean {
  return a.first < b.first + sizeOf(b.prefix) && b.first < a.first + sizeOf(a.prefix);
}

function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}
