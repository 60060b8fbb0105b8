import { readFileSync, writeFileSync } from 'node:fs';
import { renderConfigTable } from '../../src/config/render.ts';
import { FAILURE_CODES } from '../../src/failure/failure.ts';
import { EXIT_CODES, EXIT_MEANINGS } from '../../src/worker/exit-codes.ts';

/** The README's tables that come from the code, by the name of their marker. */
export function readmeTables(): Readonly<Record<string, string>> {
  const failures = Object.entries(FAILURE_CODES).map(
    ([code, [kind, meaning]]) => `| \`${code}\` | ${kind} | ${meaning} |`,
  );
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  const exits = names.map((name) => `| ${EXIT_CODES[name]} | ${EXIT_MEANINGS[name]} |`);
  return {
    'config-table': renderConfigTable(),
    'failure-table': ['| code | class | meaning |', '| --- | --- | --- |', ...failures].join('\n'),
    'exit-codes': ['| code | meaning |', '| --- | --- |', ...exits].join('\n'),
  };
}

/** The README with every marked table brought up to date. Throws when a marker is missing. */
export function withTables(readme: string): string {
  return Object.entries(readmeTables()).reduce((text, [name, table]) => {
    const pattern = new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`);
    if (!pattern.test(text)) throw new Error(`README.md has no marker ${name}`);
    return text.replace(pattern, () => `<!-- ${name} -->\n\n${table}\n\n<!-- /${name} -->`);
  }, readme);
}

if (import.meta.main) {
  const file = new URL('../../README.md', import.meta.url);
  writeFileSync(file, withTables(readFileSync(file, 'utf8')));
}
