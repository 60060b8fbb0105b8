import { outsideText } from '../text/outside-text.ts';
import { secretNameOf } from '../text/secret-names.ts';

/** Message bodies hold whatever a sender put there, and may be 1 MiB. */
const NEVER_LOGGED: ReadonlySet<string> = new Set(['body', 'Body', 'messageBody', 'credentials']);
const MASK = '***';
/** UTF-16 units of one text, and of all texts of an entry: the stacks of several causes are the longest that we write ourselves. */
const TEXT_LENGTH = 4_000;
const WHOLE_LENGTH = 48_000;
const MOST_PARTS = 200;
const DEEPEST = 8;

/**
 * The last guard of the log: whatever an entry holds, of failures and of fields that are none, at any depth, leaves it scrubbed and
 * bounded, and what is called a secret does not leave it at all.
 */
export function guardedEntry(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return partsOf(entry, 0, { left: WHOLE_LENGTH });
}

interface Room {
  left: number;
}

function partsOf(object: object, depth: number, room: Room): Record<string, unknown> {
  const parts = Object.entries(object);
  const guarded = parts
    .slice(0, MOST_PARTS)
    .map(([name, value]): [string, unknown] => [
      outsideText(name, 100),
      isNeverLogged(name, value) ? MASK : guardedValue(value, depth + 1, room),
    ]);
  if (parts.length > MOST_PARTS) guarded.push(['leftOut', parts.length - MOST_PARTS]);
  return Object.fromEntries(guarded);
}

/** Numbers are no secrets: a run's fencing token, how many failures were of credentials. */
function isNeverLogged(name: string, value: unknown): boolean {
  if (NEVER_LOGGED.has(name)) return true;
  return typeof value === 'string' && value !== '' && secretNameOf(name) !== null;
}

function guardedValue(value: unknown, depth: number, room: Room): unknown {
  if (typeof value === 'string') {
    const text = outsideText(value, Math.max(0, Math.min(TEXT_LENGTH, room.left)));
    room.left -= text.length;
    return text;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) return '...';
  if (!Array.isArray(value)) return partsOf(value, depth, room);
  const parts: unknown[] = value.slice(0, MOST_PARTS).map((part) => guardedValue(part, depth + 1, room));
  return value.length > MOST_PARTS ? [...parts, `... (${value.length} in all)`] : parts;
}
