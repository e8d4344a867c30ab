import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../packages/sandkube/src/cli/program.js";
import { repositoryPath } from "./programs/repository.js";

const root = repositoryPath(".");
const skipped = new Set(["node_modules", ".git", "dist"]);

/** Every Markdown file of the repository, relative to it. */
function pages(directory = root): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : pages(path);
    return entry.name.endsWith(".md") ? [relative(root, path)] : [];
  });
}

const texts = pages().map((page) => ({ page, text: readFileSync(join(root, page), "utf8") }));
const program = createProgram();
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** What follows a program's name, up to the end of the line, code span or shell word. */
function uses(text: string, name: string): string[] {
  const found = text.matchAll(new RegExp(`(?:^|[\\s\`($])${name} ([^\`\\n|;&#)\\\\]+)`, "gm"));
  return [...found]
    .filter(([whole], index, all) => isCode(text, all[index]?.index ?? 0, whole.length))
    .map(([, words = ""]) => words.trim());
}

/** Whether a place is in a fenced or indented block or in a code span of its line, and in no comment. */
function isCode(text: string, index: number, length: number): boolean {
  const before = text.slice(0, index + 1);
  if (/ # [^\n]*$/.test(before)) return false;
  if ((before.match(/^\s*```/gm)?.length ?? 0) % 2 === 1) return true;
  const line = text.slice(text.lastIndexOf("\n", index) + 1, index + length);
  if (/^ {4}/.test(line)) return true;
  const start = before.slice(before.lastIndexOf("\n") + 1);
  return start.split("`").length % 2 === 0;
}

/** Why words are no use of the command line; null when they are one. */
function mistakeIn(words: readonly string[]): string | null {
  let command: Command = program;
  let isValue = false;
  for (const word of words) {
    if (isValue) {
      isValue = false;
    } else if (word.startsWith("--")) {
      const [flag = ""] = word.split(/[=\]]/);
      const option = [...command.options, ...program.options].find(({ long }) => long === flag);
      if (option === undefined && flag !== "--help") return `there is no option ${flag}`;
      isValue = option?.required === true && !word.includes("=");
    } else if (!word.startsWith("-")) {
      const child: Command | undefined = command.commands.find(
        (candidate) => candidate.name() === word || candidate.aliases().includes(word),
      );
      if (child === undefined && command.registeredArguments.length === 0) {
        // A placeholder, such as COMMAND or [options], the dots for what follows, or a remark.
        return /^[[<(]?[A-Z]|^…|^\[options\]/.test(word) ? null : `there is no command ${word}`;
      }
      command = child ?? command;
      if (command.registeredArguments[0]?.name() === "arguments") return null;
    }
  }
  return null;
}

describe.each(texts)("$page", ({ page, text }) => {
  it("names commands and options of sandkube that exist", () => {
    const mistakes = uses(text, "sandkube").flatMap((use) => {
      const mistake = mistakeIn(use.split(/\s+/));
      return mistake === null ? [] : [`sandkube ${use}: ${mistake}`];
    });
    expect(mistakes).toEqual([]);
  });

  it("names npm scripts that exist", () => {
    const names = uses(text, "npm run").map((use) => /[\w:-]+/.exec(use.replace(/^-s /, ""))?.[0]);
    expect(names.filter((name) => scripts[name ?? ""] === undefined)).toEqual([]);
  });

  it("has links that lead to files", () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => !existsSync(join(root, dirname(page), link)));
    expect(broken).toEqual([]);
  });
});

describe("what the checks find", () => {
  it.each([
    [["up", "--control-plain"], "there is no option --control-plain"],
    [["image", "push", "x"], "there is no command push"],
    [["start"], "there is no command start"],
    [["--name", "up", "status", "--watch"], null],
    [["kubectl", "get", "pods", "--anything"], null],
    [["COMMAND", "--help"], null],
  ])("in %s", (words, mistake) => {
    expect(mistakeIn(words)).toBe(mistake);
  });
});
