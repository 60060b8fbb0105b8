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

/** `test` where models can be exported, else a test that is skipped with the reason in its title. */
export const exportTest = whyNot === null ? test : skipped(whyNot);

function skipped(reason: string): typeof test {
  const skip = (title: string): void => test.skip(`${title} (${reason})`, () => undefined);
  const each = (table: readonly unknown[]) => (title: string) => {
    test.skip.each(table)(`${title} (${reason})`, () => undefined);
  };
  return Object.assign(skip, { each }) as unknown as typeof test;
}
