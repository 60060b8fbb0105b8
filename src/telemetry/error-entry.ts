import { causesOf } from '../failure/causes.ts';
import { factsOf, Failure } from '../failure/failure.ts';
import { textField } from '../failure/fields.ts';
import { outsideText } from '../text/outside-text.ts';

/** UTF-16 units of one message or stack, and of all of them: a cause may be an answer of a megabyte, and have causes of its own. */
const TEXT_LENGTH = 2_000;
const WHOLE_LENGTH = 12_000;
const MOST_ERRORS = 4;

/** What an error is logged as, with the causes behind it: bounded as a whole, and scrubbed, since only a Failure was scrubbed before. */
export function errorEntry(error: unknown): unknown {
  const room = { left: WHOLE_LENGTH };
  const links = causesOf(error);
  if (links.length === 0) return told(inWords(error), room);
  // The outermost first: what is told of the causes is what it leaves room for.
  const entries = links.map((link) => linkEntry(link, room));
  const last = causeOf(links.at(-1), room);
  return entries.reduceRight<unknown>((cause, entry) => (cause === undefined ? entry : { ...entry, cause }), last);
}

/** Of the last link: a cause that is no object, or what is too deep to be told. */
function causeOf(link: object | undefined, room: Room): unknown {
  const { cause } = (link ?? {}) as { readonly cause?: unknown };
  if (cause === undefined || cause === null) return undefined;
  return typeof cause === 'object' ? 'more causes, which are not told' : told(inWords(cause), room);
}

function inWords(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? typeof thrown);
}

interface Room {
  left: number;
}

function told(text: string, room: Room): string {
  const bounded = outsideText(text, Math.max(0, Math.min(TEXT_LENGTH, room.left)));
  room.left -= bounded.length;
  return bounded;
}

function linkEntry(link: object, room: Room): Record<string, unknown> {
  const type = typeOf(link);
  if (!(link instanceof Error)) return { type: type ?? 'Object', ...ownFields(link, room) };
  const entry: Record<string, unknown> = {
    type: type ?? textField(link, 'name') ?? 'Error',
    message: told(textField(link, 'message') ?? '', room),
    stack: told(textField(link, 'stack') ?? '', room),
    ...ownFields(link, room),
  };
  if (link instanceof AggregateError) {
    entry['aggregateErrors'] = (link.errors as unknown[])
      .slice(0, MOST_ERRORS)
      .map((each) => told(each instanceof Error ? inShort(each) : inWords(each), room));
  }
  // Whoever searches logs and database finds the stage of a failure in one place: among its details.
  if (link instanceof Failure) {
    entry['details'] = factsOf(link);
    delete entry['stage'];
  }
  return entry;
}

/** Null where the class has no name, or a field stands in its place: errors are made by others, with fields of any type. */
function typeOf(link: object): string | null {
  const { constructor } = link as { readonly constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : null;
}

function inShort(error: Error): string {
  return `${textField(error, 'name') ?? 'Error'}: ${textField(error, 'message') ?? ''}`;
}

/** What libraries write onto their errors: codes and numbers, and small objects of them. Requests, sockets and answers stay out. */
function ownFields(link: object, room: Room): Record<string, unknown> {
  const fields: [string, unknown][] = [];
  for (const [name, value] of Object.entries(link).slice(0, 30)) {
    if (['cause', 'message', 'stack', 'errors'].includes(name)) continue;
    const small = smallValue(value, room);
    if (small !== undefined) fields.push([name, small]);
  }
  return Object.fromEntries(fields);
}

function smallValue(value: unknown, room: Room): unknown {
  if (typeof value === 'string') return told(value, room);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const parts = Object.entries(value).slice(0, 30);
  return Object.fromEntries(
    parts.flatMap(([name, part]): [string, unknown][] => {
      if (typeof part === 'string') return [[name, told(part, room)]];
      return typeof part === 'number' || typeof part === 'boolean' || part === null ? [[name, part]] : [];
    }),
  );
}
