/** Prints the body of the answer to an HTTP GET. Argument: the URL. */
const limitMs = 20_000;

const response = await fetch(process.argv[2], { signal: AbortSignal.timeout(limitMs) });
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 1;
