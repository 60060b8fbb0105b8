import { outsideText } from '../text/outside-text.ts';
import { secretNameOf } from '../text/secret-names.ts';

/** Message bodies hold whatever a sender put there, and may be 1 MiB. */
const NEVER_LOGGED: ReadonlySet<string> = new Set(['body', 'Body', 'messageBody', 'credentials']);
const MASK = '***';
/** UTF-16 units of one text, and of all texts of an entry: the stacks of several causes are the longest that we write ourselves. */
const TEXT_LENGTH = 4_000;
const WHOLE_LENGTH = 48_000;
const NAME_LENGTH = 100;
/** What a part takes beside its texts. */
const PART_LENGTH = 10;
const MOST_PARTS = 200;
const DEEPEST = 8;

/**
 * The last guard of the log: whatever an entry holds, of failures and of fields that are none, at any depth, leaves it scrubbed and
 * bounded, and what is called a secret does not leave it at all.
 */
export function guardedEntry(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { msg, ...fields } = entry;
  const guarded = partsOf(fields, 0, { left: WHOLE_LENGTH });
  // Last in the line, but the first that somebody reads: fields must not take its room.
  return msg === undefined ? guarded : { ...guarded, msg: guardedValue(msg, 1, { left: TEXT_LENGTH }) };
}

interface Room {
  left: number;
}

function partsOf(object: object, depth: number, room: Room): Record<string, unknown> {
  const guarded: [string, unknown][] = [];
  const parts = Object.entries(object);
  for (const [index, [name, value]] of parts.entries()) {
    if (index === MOST_PARTS || room.left <= 0) {
      guarded.push(['leftOut', parts.length - index]);
      break;
    }
    const shown = outsideText(name, NAME_LENGTH);
    room.left -= shown.length + PART_LENGTH;
    guarded.push([shown, isNeverLogged(name, value) ? MASK : guardedValue(value, depth + 1, room)]);
  }
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
  const parts: unknown[] = [];
  for (const part of value) {
    if (parts.length === MOST_PARTS || room.left <= 0) return [...parts, `... (${value.length} in all)`];
    room.left -= PART_LENGTH;
    parts.push(guardedValue(part, depth + 1, room));
  }
  return parts;
}
