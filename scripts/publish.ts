/**
 * `npm run publish-packages -- [ARGUMENT OF npm publish...]`: publishes what `npm run pack -- --all` made
 * with the npm that is configured. Can be repeated after a failure.
 */
import { publishPackages } from "./packages/publish.js";
import { repositoryPath } from "./programs/repository.js";

const report = (line: string) => void process.stderr.write(`${line}\n`);

try {
  await publishPackages({
    directory: repositoryPath("dist/packages"),
    publishArguments: process.argv.slice(2),
    report,
  });
} catch (error) {
  report(`publish: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
