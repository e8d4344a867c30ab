/** Colours for one stream: plain text when it is no terminal or NO_COLOR is set (no-color.org). */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The style that a stream takes. */
export function styleOf(stream: { isTTY?: boolean }): Style {
  const isPlain = !stream.isTTY || Boolean(process.env["NO_COLOR"]);
  const sgr = (code: number) => (text: string) =>
    isPlain ? text : `\u001b[${code}m${text}\u001b[0m`;
  return { bold: sgr(1), dim: sgr(2), red: sgr(31), green: sgr(32), yellow: sgr(33) };
}
