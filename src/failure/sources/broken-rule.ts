import { causesOf } from '../causes.ts';
import { textField } from '../fields.ts';

/** The facts of a refusal of the database: its code, and for a row that it does not take, the rule. */
export function databaseFacts(external: string, error: unknown): Readonly<Record<string, string>> {
  return /^(22|23|P20(00|02|03|04|11|20)$)/.test(external) ? { external, ...brokenRuleOf(error) } : { external };
}

/** The driver has the names in fields; Prisma passes on the words alone. The row's values, in other fields, stay out. */
const WORDS = {
  constraint: /constraint "([^"]+)"/,
  table: /(?:relation|table) "([^"]+)"/,
  column: /column "([^"]+)"/,
} as const;

/** The names in a database's refusal of a row, by the driver's error or by Prisma's around it. */
function brokenRuleOf(error: unknown): Readonly<Record<string, string>> {
  const links = causesOf(error).flatMap((link) => [link, ...adapterParts(link)]);
  const found = Object.entries(WORDS).flatMap(([name, words]): [string, string][] => {
    for (const link of links) {
      const value =
        textField(link, name) ??
        words.exec(textField(link, 'originalMessage') ?? textField(link, 'message') ?? '')?.[1];
      if (value !== undefined) return [[name, value]];
    }
    return [];
  });
  return Object.fromEntries(found);
}

/** What Prisma hangs below its error beside the causes: the adapter's error and what that was made from. */
function adapterParts(link: object): object[] {
  const { meta } = link as { meta?: { driverAdapterError?: { cause?: unknown } } };
  const adapter = meta?.driverAdapterError;
  return [adapter, adapter?.cause].filter((part): part is object => typeof part === 'object' && part !== null);
}
