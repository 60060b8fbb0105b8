import { readFile } from 'node:fs/promises';
import { test } from '@jest/globals';

const EXPORT = 'models/export';
const READY = `${EXPORT}/.venv/system/installed.txt`;
const WANTED = `${EXPORT}/requirements-system-torch.txt`;

/** Why the model export cannot be run here, a sentence; null where it can. */
export async function whyNoExport(): Promise<string | null> {
  const [ready, wanted] = await Promise.all([readFile(READY, 'utf8').catch(() => null), readFile(WANTED, 'utf8')]);
  if (ready === wanted) return null;
  return 'the Python environment of the model export is not here: scripts/setup --tests makes it where PyPI can be reached';
}

const whyNot = await whyNoExport();

/** `test` where models can be exported, else a skipped test. */
export const exportTest = whyNot === null ? test : (test.skip as typeof test);

// Jest says nothing of a skipped test but that there is one.
if (whyNot !== null) console.warn(`tests on exported models are skipped: ${whyNot}`);
