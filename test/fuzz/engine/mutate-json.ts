import { pick } from '../../chaos/random.ts';

type Random = () => number;
type Parent = Record<string, unknown> | unknown[];
type Place = readonly [parent: Parent, name: string];

const VALUES: readonly unknown[] = [null, true, false, 0, -1, 1, 1.5, 2 ** 53, 1e308, '', ' ', [], {}, [[]], [null]];
const DEPTHS = [3, 100, 3_000, 60_000];

/** A text of JSON with one place of its tree changed; of JSON in its strings too. What is no JSON comes back as it was. */
export function mutateJson(input: Buffer, random: Random, words: readonly string[]): Buffer {
  let root: unknown;
  try {
    root = JSON.parse(input.toString());
  } catch {
    return input;
  }
  const box = { root };
  const places: Place[] = [];
  collect(box, places, 0);
  const place = places[Math.floor(random() * places.length)];
  if (place === undefined) return input;
  pick(random, EDITS)(place, random, words);
  const text = JSON.stringify(box.root);
  return text === undefined ? input : Buffer.from(random() < 0.1 ? twice(text, random) : text);
}

type Edit = (place: Place, random: Random, words: readonly string[]) => void;

const EDITS: readonly (readonly [Edit, number])[] = [
  [(place, random) => put(place, structuredClone(choose(random, VALUES))), 20],
  [(place, random, words) => put(place, choose(random, words)), 20],
  [(place, random, words) => put(place, `${textOf(place)}${choose(random, words)}`), 10],
  [remove, 12],
  [(place) => put(place, textOf(place)), 4],
  [(place) => put(place, Number(textOf(place))), 4],
  [(place) => put(place, [get(place)]), 6],
  [(place) => put(place, { Type: 'Notification', Message: JSON.stringify(get(place)) }), 4],
  [(place, random) => put(place, nested(choose(random, DEPTHS))), 1],
  [(place, random) => put(place, textOf(place).repeat(1 + Math.floor(random() ** 3 * 3_000))), 3],
  [rename, 10],
  [inString, 14],
];

function remove([parent, name]: Place): void {
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
}

function rename([parent, name]: Place, random: Random, words: readonly string[]): void {
  const value = get([parent, name]);
  if (Array.isArray(parent)) parent.push(value);
  else if (name !== 'root') {
    const other = random() < 0.2 ? '__proto__' : choose(random, words);
    // An own property, as a parser makes it, and no change of what all objects inherit.
    Object.defineProperty(parent, other, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** Envelopes carry messages as text. */
function inString(place: Place, random: Random, words: readonly string[]): void {
  const value = get(place);
  if (typeof value === 'string') put(place, mutateJson(Buffer.from(value), random, words).toString());
}

/** JSON allows a name twice, and the last one counts. */
function twice(text: string, random: Random): string {
  const names = [...text.matchAll(/"(\w+)":/g)];
  const found = names[Math.floor(random() * names.length)];
  if (found === undefined) return text;
  const value = JSON.stringify(choose(random, VALUES));
  return `${text.slice(0, found.index)}"${found[1]}":${value},${text.slice(found.index)}`;
}

function nested(depth: number): unknown {
  // What stringifies deep trees would overflow: the depth is kept below what it takes.
  let value: unknown = 1;
  for (let level = Math.min(depth, 3_000); level > 0; level--) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function collect(parent: Parent, places: Place[], depth: number): void {
  if (depth > 60) return;
  for (const [name, value] of Object.entries(parent)) {
    if (places.length > 2_000) return;
    places.push([parent, name]);
    if (typeof value === 'object' && value !== null) collect(value as Parent, places, depth + 1);
  }
}

function get([parent, name]: Place): unknown {
  return (parent as Record<string, unknown>)[name];
}

/** A tree may have a `toString` of its own, which is no function. */
function textOf(place: Place): string {
  const value = get(place);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function put([parent, name]: Place, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

function choose<T>(random: Random, from: readonly T[]): T {
  return pick(
    random,
    from.map((item) => [item, 1]),
  );
}
