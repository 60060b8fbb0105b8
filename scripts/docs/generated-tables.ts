import { readFileSync, writeFileSync } from 'node:fs';
import { renderConfigTable, renderEnvExample } from '../../src/config/render.ts';
import { FAILURE_CODES } from '../../src/failure/codes.ts';
import { createWorkerMetrics } from '../../src/telemetry/worker-metrics.ts';
import { EXIT_CODES, EXIT_MEANINGS } from '../../src/worker/exit-codes.ts';
import { namedPartRows } from '../audit/named-parts.ts';
import { readPackages } from '../audit/read.ts';
import { GROUND, ROOMS, type Room } from '../lint/rooms.ts';
import { writeTemplate } from './unit-template.ts';

/** A table that comes from the code; in its page it stands between two markers with its name. */
export interface GeneratedTable {
  /** From the root of the project. */
  readonly page: string;
  readonly name: string;
  readonly text: string;
}

/** Every table that comes from the code. */
export function generatedTables(): readonly GeneratedTable[] {
  return [
    { page: 'docs/architecture.md', name: 'walls', text: wallsTable() },
    { page: 'docs/configuration.md', name: 'config-table', text: renderConfigTable() },
    { page: 'docs/failures.md', name: 'failure-table', text: failureTable() },
    { page: 'docs/operations.md', name: 'exit-codes', text: exitCodeTable() },
    { page: 'docs/operations.md', name: 'metrics', text: metricsTable() },
    { page: 'docs/security.md', name: 'named-packages', text: namedPackagesTable() },
  ];
}

/** The text of the page with the table brought up to date. Throws when the page has no markers for it. */
export function withTable(text: string, table: GeneratedTable): string {
  const pattern = new RegExp(`<!-- ${table.name} -->[\\s\\S]*?<!-- /${table.name} -->`);
  if (!pattern.test(text)) throw new Error(`${table.page} has no markers for ${table.name}`);
  return text.replace(pattern, () => `<!-- ${table.name} -->\n\n${table.text}\n\n<!-- /${table.name} -->`);
}

/** Every room in the table's order, which is from the ground up. */
function wallsTable(): string {
  const rows = Object.entries(ROOMS).map(([name, room]) => [`\`${name}\``, reachOf(room), codes(room.packages ?? [])]);
  return markdownTable(['room', 'may import', 'packages'], rows);
}

/** What nearly every room may import is said in two words. */
function reachOf({ imports }: Room): string {
  if (imports.length === 0) return 'nothing';
  if (!GROUND.every((name) => imports.includes(name))) return codes(imports);
  const others = codes(imports.filter((name) => !GROUND.includes(name)));
  return others === '' ? '*the ground*' : `*the ground*, ${others}`;
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

function namedPackagesTable(): string {
  const { lock } = readPackages(new URL('../../', import.meta.url));
  return markdownTable(['package', 'licence', 'used in', 'asked for by', 'why it may be here'], namedPartRows(lock));
}

function failureTable(): string {
  const rows = Object.entries(FAILURE_CODES).map(([code, { class: kind, text }]) => [`\`${code}\``, kind, text]);
  return markdownTable(['code', 'class', 'meaning'], rows);
}

function exitCodeTable(): string {
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  return markdownTable(
    ['code', 'meaning'],
    names.map((name) => [String(EXIT_CODES[name]), EXIT_MEANINGS[name]]),
  );
}

/** From the text that `/metrics` answers, since that is what a reader of the page will see. */
function metricsTable(): string {
  using metrics = createWorkerMetrics({
    slots: 1,
    busySlots: () => 0,
    waiting: () => 0,
    leases: () => 0,
    pollAgeMs: () => null,
  });
  const text = metrics.registry.render();
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => [`\`${name}\``, type, help],
  );
  return markdownTable(['metric', 'type', 'meaning'], rows);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (import.meta.main) {
  const root = new URL('../../', import.meta.url);
  for (const table of generatedTables()) {
    const file = new URL(table.page, root);
    writeFileSync(file, withTable(readFileSync(file, 'utf8'), table));
  }
  writeFileSync(new URL('.env.example', root), renderEnvExample());
  writeTemplate(root);
}
