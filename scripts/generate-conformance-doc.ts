/** Writes docs/conformance.md from the results that are kept. */
import { conformanceDocument } from "../conformance/report/document.js";
import { allRecords } from "../conformance/report/keep-record.js";
import { generatedFile, writeGenerated } from "./generated-file.js";

const document = conformanceDocument(await allRecords());
writeGenerated([await generatedFile("docs/conformance.md", document)]);
