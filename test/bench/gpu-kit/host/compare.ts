/**
 * Compares two analyses of one video box by box, and lists what was read differently and what only one of them has.
 *
 *     compare.ts A.json B.json        files of `video-worker analyze --json`
 */

import { readFile } from 'node:fs/promises';
import { parseAnalysisFile } from '../../../../src/evaluation/analysis-file.ts';
import type { VideoAnalysis } from '../../../../src/analysis/video-analysis.ts';
import { compareAnalyses } from './analysis-differences.ts';
import { requireArguments } from './command-arguments.ts';
import { printLine } from './json-lines.ts';

const args = process.argv.slice(2);
requireArguments(args, 2, 'compare.ts A.json B.json');
const [a = '', b = ''] = args;
printLine(compareAnalyses(await read(a), await read(b)));

async function read(path: string): Promise<VideoAnalysis> {
  return parseAnalysisFile(await readFile(path, 'utf8'), path);
}
