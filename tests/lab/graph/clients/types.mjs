// types - what the simulator answers, compiled against Microsoft's own type definitions. Input: {type: value} as JSON in the file argv[2].
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { say } from './where.mjs';

const here = path.dirname(new URL(import.meta.url).pathname),
  samples = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const lines = ["import * as Graph from '@microsoft/microsoft-graph-types';"];
let n = 0;
for (const [type, values] of Object.entries(samples))
  for (const v of values) lines.push('export const v' + n++ + ': Graph.' + type + ' = ' + JSON.stringify(v) + ';');
const file = path.join(here, 'samples.ts'); // not written: it has to seem to be here for the import to be found
const options = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  types: [],
  skipLibCheck: true,
  lib: ['lib.es2022.d.ts'],
};
const host = ts.createCompilerHost(options),
  { getSourceFile, fileExists, readFile } = host,
  text = lines.join('\n');
host.getSourceFile = (name, ...rest) =>
  name === file ? ts.createSourceFile(name, text, options.target) : getSourceFile.call(host, name, ...rest);
host.fileExists = (name) => name === file || fileExists.call(host, name);
host.readFile = (name) => (name === file ? text : readFile.call(host, name));
const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
say({
  values: n,
  problems: problems.map(
    (p) =>
      ts.flattenDiagnosticMessageText(p.messageText, ' ') +
      (p.file ? ' in ' + text.split('\n')[p.file.getLineAndCharacterOfPosition(p.start).line].slice(0, 200) : ''),
  ),
});
