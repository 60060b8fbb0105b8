import { pick } from '../../chaos/random.ts';
import { mutateJson } from './mutate-json.ts';
import type { Target } from './target.ts';

type Random = () => number;
type Mutation = (input: Buffer, source: Source) => Buffer;

/** What a mutation may draw from. */
export interface Source {
  readonly random: Random;
  readonly target: Pick<Target, 'form' | 'maxBytes' | 'words'>;
  /** Another input of the corpus. */
  readonly other: () => Buffer;
}

const NUMBERS = [
  '0',
  '-1',
  '1',
  '-0',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '1e999',
  '-1e308',
  '1e-400',
  '0.1',
  'NaN',
  'nan',
  'Infinity',
  '0x10',
  '99999999999999999999',
];
/** What parsers trip over, whatever they parse. */
const TRAPS = [
  '\0',
  '\n',
  '\r',
  '\t',
  '\\',
  '\\n',
  '\\u0000',
  '"',
  "'",
  '%',
  '%00',
  '%E0%A4%A',
  '\uD800',
  '\u202E',
  '\u2028',
  '\u001b[2J',
  '\u{1F3AC}',
  '../',
  '=',
  ';',
  ',',
  ':',
  '@',
  '/',
  '?',
  '<',
  '__proto__',
  'constructor',
  'toString',
];

/** An input that was changed in one to a few places; the same random numbers change it alike. */
export function mutate(input: Buffer, source: Source): Buffer {
  const { random, target } = source;
  let changed = input;
  for (let count = 1 + Math.floor(random() ** 3 * 6); count > 0; count--) {
    changed = pick(random, target.form === 'json' ? WITH_JSON : MUTATIONS)(changed, source);
    if (changed.length > target.maxBytes) changed = changed.subarray(0, target.maxBytes);
  }
  return changed;
}

const MUTATIONS: readonly (readonly [Mutation, number])[] = [
  [oneByte, 10],
  [insertion, 12],
  [word, 16],
  [deletion, 12],
  [copy, 8],
  [number, 10],
  [splice, 8],
  [repetition, 5],
  [stretch, 0.2],
  [truncation, 4],
];
const WITH_JSON: readonly (readonly [Mutation, number])[] = [
  ...MUTATIONS,
  [(input, { random, target }) => mutateJson(input, random, [...target.words, ...TRAPS]), 60],
];

function oneByte(input: Buffer, { random }: Source): Buffer {
  if (input.length === 0) return Buffer.from([below(random, 256)]);
  const changed = Buffer.from(input);
  const at = below(random, input.length);
  changed[at] = random() < 0.5 ? (changed[at] ?? 0) ^ (1 << below(random, 8)) : below(random, 256);
  return changed;
}

function insertion(input: Buffer, { random }: Source): Buffer {
  const bytes = Buffer.from(Array.from({ length: 1 + below(random, 8) }, () => printable(random)));
  return inserted(input, below(random, input.length + 1), bytes);
}

function word(input: Buffer, { random, target }: Source): Buffer {
  const words = random() < 0.7 && target.words.length > 0 ? target.words : TRAPS;
  const bytes = Buffer.from(words[below(random, words.length)] ?? '');
  const at = below(random, input.length + 1);
  if (random() < 0.6) return inserted(input, at, bytes);
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at + bytes.length)]);
}

function deletion(input: Buffer, { random }: Source): Buffer {
  const [from, to] = span(input, random);
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
}

function copy(input: Buffer, { random }: Source): Buffer {
  const [from, to] = span(input, random);
  return inserted(input, below(random, input.length + 1), input.subarray(from, to));
}

function number(input: Buffer, { random }: Source): Buffer {
  const text = input.toString('latin1');
  const found = [...text.matchAll(/\d+(?:\.\d+)?/g)];
  const chosen = found[below(random, found.length)];
  if (chosen === undefined) return inserted(input, 0, Buffer.from(NUMBERS[below(random, NUMBERS.length)] ?? '0'));
  const near = String(Number(chosen[0]) + (random() < 0.5 ? 1 : -1) * 10 ** below(random, 7));
  const value = random() < 0.5 ? near : (NUMBERS[below(random, NUMBERS.length)] ?? '0');
  const end = chosen.index + chosen[0].length;
  return Buffer.concat([input.subarray(0, chosen.index), Buffer.from(value), input.subarray(end)]);
}

function splice(input: Buffer, { random, other }: Source): Buffer {
  const second = other();
  const [from, to] = span(second, random);
  if (random() < 0.5) return inserted(input, below(random, input.length + 1), second.subarray(from, to));
  return Buffer.concat([input.subarray(0, below(random, input.length + 1)), second.subarray(from)]);
}

function repetition(input: Buffer, { random }: Source): Buffer {
  const [from, to] = span(input, random);
  const times = 2 + below(random, 60);
  return inserted(input, to, Buffer.concat(Array.from({ length: times }, () => input.subarray(from, to))));
}

/** Up to the longest input: what takes longer than its length allows shows only there. */
function stretch(input: Buffer, { random, target }: Source): Buffer {
  const [from, to] = span(input, random);
  const piece = input.subarray(from, Math.min(to, from + 1 + below(random, 40)));
  const room = Math.floor((target.maxBytes - input.length) * random());
  if (piece.length === 0 || room <= 0) return input;
  return inserted(input, to, Buffer.alloc(room - (room % piece.length), piece));
}

function truncation(input: Buffer, { random }: Source): Buffer {
  const at = below(random, input.length + 1);
  return random() < 0.5 ? input.subarray(0, at) : input.subarray(at);
}

function inserted(input: Buffer, at: number, bytes: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
}

/** Mostly short ones. */
function span(input: Buffer, random: Random): readonly [number, number] {
  const from = below(random, input.length + 1);
  const longest = random() < 0.7 ? 16 : input.length;
  return [from, Math.min(input.length, from + 1 + below(random, longest))];
}

function printable(random: Random): number {
  return random() < 0.9 ? 0x20 + below(random, 0x5f) : below(random, 256);
}

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}
