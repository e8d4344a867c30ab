import type { Explanation } from "../report/explanation.js";

export const explanations: readonly Explanation[] = [];
