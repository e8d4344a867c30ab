import { acquireLock } from "../lock.js";

/** A program that takes the lock that its argument names, says so, and holds it until it is killed. */
const [, , file] = process.argv;
if (file === undefined) throw new Error("usage: hold-lock FILE");
await acquireLock(file, { timeoutMs: 0 });
process.stdout.write("held\n");
setInterval(() => {}, 1_000);
