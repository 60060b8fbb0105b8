import { pick } from '../chaos/random.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Random = () => number;

const PATHS = [
  '../../../../etc/passwd',
  '/etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  'C:\\Windows\\system32',
  'file:///etc/passwd',
  '-i /etc/passwd',
  '| touch owned',
  '$(touch owned)',
  'a/./b//c/../d.mp4',
  '%00.mp4',
  '%',
  '%E0%A4%A',
  '.',
  '..',
];
const UNICODE = [
  '\u202Egpm.4',
  'e\u0301.mp4',
  '\u{1F3AC}.mp4',
  '\uD800',
  'a\uDFFFb',
  '\uFEFFv.mp4',
  '\u0000',
  'a\u0000b.mp4',
];
const BUCKETS = [
  '',
  ' ',
  'UPPER_case',
  'a/b',
  '..',
  'arn:aws:s3:us-east-1:123456789012:accesspoint/x',
  'arn:aws:s3',
  'b?x=1',
  'b#f',
  'b\r\nHost: evil',
  'x'.repeat(300),
  '127.0.0.1',
  'http://169.254.169.254/latest',
];
const NUMBERS = ['1e999', '-1e999', '1e308', '-0', '9007199254740993', '0.1e-400', '123456789012345678901234567890'];
const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'];
const WRONG: readonly Json[] = [null, true, [], {}, 0, -1, 1.5, '', [[]], { length: 3 }];

/** A valid message of every accepted form, about a key that no other number has. */
export function validMessage(number: number, bucket: string): string {
  const key = `videos/${number}.mp4`;
  const record = (name: string, eventName = 'ObjectCreated:Put'): Json => ({
    eventName,
    eventTime: '2026-01-01T00:00:00Z',
    s3: { bucket: { name: bucket }, object: { key: name, size: 1_000, eTag: 'e', sequencer: '0055' } },
  });
  const s3Event = JSON.stringify({ Records: [record(key)] });
  const forms = [
    JSON.stringify({
      eventType: 'video-uploaded',
      timestamp: '2026-01-01T00:00:00Z',
      s3: { bucket, key },
      video: { id: number },
      processing: { priority: 'high' },
    }),
    s3Event,
    JSON.stringify({ Records: [record(key), record(`${key}.second`)] }),
    JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:us-east-1:1:t', Message: s3Event }),
    JSON.stringify({
      'detail-type': 'Object Created',
      time: '2026-01-01T00:00:00Z',
      detail: { bucket: { name: bucket }, object: { key, size: 1_000, etag: 'e' } },
    }),
    JSON.stringify({ bucket, key }),
    JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: bucket }),
    JSON.stringify({ Records: [record(key, 'ObjectRemoved:Delete')] }),
  ];
  return forms[number % forms.length] ?? s3Event;
}

/** Damages a valid message in one way; the same random numbers make the same damage. */
export function mutateMessage(text: string, random: Random): string {
  const mutate = pick(random, MUTATIONS);
  return mutate(text, random);
}

const MUTATIONS: readonly (readonly [(text: string, random: Random) => string, number])[] = [
  [bytes, 10],
  [truncated, 6],
  [nested, 6],
  [(text, random) => withLeaf(text, random, () => choose(random, WRONG)), 14],
  [(text, random) => withLeaf(text, random, () => choose(random, PATHS)), 10],
  [(text, random) => withLeaf(text, random, () => choose(random, UNICODE)), 10],
  [(text, random) => withBucket(text, choose(random, BUCKETS)), 10],
  [hugeNumber, 6],
  [duplicateName, 6],
  [prototypeName, 8],
  [(text, random) => withLeaf(text, random, () => 'k'.repeat(choose(random, [1_024, 1_025, 5_000, 100_000]))), 6],
  [withoutName, 8],
  [oversize, 2],
];

function choose<T>(random: Random, from: readonly T[]): T {
  return pick(
    random,
    from.map((item) => [item, 1]),
  );
}

function bytes(text: string, random: Random): string {
  const characters = text.split('');
  for (let count = 1 + Math.floor(random() * 6); count > 0; count -= 1) {
    const at = Math.floor(random() * characters.length);
    // Mostly printable, at times one that SQS does not take.
    characters[at] = String.fromCharCode(random() < 0.95 ? 0x20 + Math.floor(random() * 0x300) : 1);
  }
  return characters.join('');
}

function truncated(text: string, random: Random): string {
  return text.slice(0, Math.floor(random() * text.length));
}

function nested(text: string, random: Random): string {
  if (random() < 0.3) {
    const depth = choose(random, [50, 5_000, 60_000]);
    return `${'['.repeat(depth)}${']'.repeat(depth)}`;
  }
  if (random() < 0.3) return `{"Records":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`;
  let body = text;
  for (let level = Math.floor(random() * 6); level >= 0; level -= 1) {
    body = JSON.stringify({ Type: 'Notification', Message: body });
  }
  return body;
}

function hugeNumber(text: string, random: Random): string {
  return withLeaf(text, random, () => '@@number@@').replace('"@@number@@"', choose(random, NUMBERS));
}

function duplicateName(text: string, random: Random): string {
  const names = [...text.matchAll(/"(\w+)":/g)];
  const found = names[Math.floor(random() * names.length)];
  if (found === undefined) return text;
  return `${text.slice(0, found.index)}"${found[1]}":${JSON.stringify(choose(random, WRONG))},${text.slice(found.index)}`;
}

function prototypeName(text: string, random: Random): string {
  const name = choose(random, PROTOTYPE_NAMES);
  const value = choose(random, ['{"bucket":"b","key":"k","eventType":"video-uploaded"}', 'null', '"x"', '[]']);
  if (random() < 0.5) return text.replaceAll('{', `{"${name}":${value},`).replaceAll(',}', '}');
  return withLeaf(text, random, () => name);
}

function oversize(text: string, random: Random): string {
  return text.replace('{', `{"padding":"${'p'.repeat(choose(random, [262_000, 300_000, 700_000]))}",`);
}

function withBucket(text: string, bucket: string): string {
  return text.replaceAll(
    /("bucket":(?:\{"name":)?)"[^"]*"/g,
    (_all, before: string) => before + JSON.stringify(bucket),
  );
}

function withLeaf(text: string, random: Random, value: () => Json): string {
  return edited(text, random, (parent, name) => {
    if (Array.isArray(parent)) parent[Number(name)] = value();
    else parent[name] = value();
  });
}

function withoutName(text: string, random: Random): string {
  return edited(text, random, (parent, name) => {
    if (Array.isArray(parent)) parent.splice(Number(name), 1);
    else delete parent[name];
  });
}

type Parent = Json[] | { [name: string]: Json };

/** Changes one place of the message, at any depth, also inside an envelope. */
function edited(text: string, random: Random, edit: (parent: Parent, name: string) => void): string {
  const root = JSON.parse(text) as Json;
  const places: (readonly [Parent, string])[] = [];
  collect(root, places);
  const place = places[Math.floor(random() * places.length)];
  if (place === undefined) return text;
  const [parent, name] = place;
  const inner = Array.isArray(parent) ? undefined : parent[name];
  if (name === 'Message' && typeof inner === 'string' && !Array.isArray(parent)) {
    parent[name] = edited(inner, random, edit);
  } else {
    edit(parent, name);
  }
  return JSON.stringify(root);
}

function collect(value: Json, places: (readonly [Parent, string])[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    places.push([value, name]);
    collect(inner, places);
  }
}
