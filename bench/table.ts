/** A titled table; the first row is its head, the first column names the rows. */
export interface Section {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Sections for a terminal: the first column to the left, all others to the right. */
export function textOf(sections: readonly Section[]): string {
  return sections.map(({ title, rows }) => `${title}\n\n${alignedRows(rows)}\n`).join("\n");
}

/** Sections as Markdown, under headings of the second level. */
export function markdownOf(sections: readonly Section[]): string {
  return sections.map(({ title, rows }) => `## ${title}\n\n${markdownRows(rows)}\n`).join("\n");
}

function alignedRows(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join("\n");
}

function markdownRows([head = [], ...body]: readonly (readonly string[])[]): string {
  const ruler = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, ruler, ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
