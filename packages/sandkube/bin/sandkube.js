#!/usr/bin/env node
// npm links this file at install, when a source checkout has no dist yet.
import "../dist/cli/main.js";
