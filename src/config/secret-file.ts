import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** A file that a variable names in place of a secret. */
export interface SecretFile {
  /** The variable that names it. */
  readonly variable: string;
  readonly path: string;
}

/** A URL or a token is a line: what is larger is another file, or a mistake. */
const MOST_BYTES = 8 * 1024;

/** The variable that names a file with the value of this one. */
export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/**
 * The file that takes the place of the variable; null where none is named. A relative path is one of the credentials that systemd hands
 * to the service, since environment files have no word for their folder; without such a folder it is relative to the working directory.
 */
export function secretFileOf(name: string, env: Variables): SecretFile | null {
  const variable = fileVariable(name);
  const path = env[variable]?.trim() ?? '';
  return path === '' ? null : { variable, path: resolve(env['CREDENTIALS_DIRECTORY'] ?? '', path) };
}

/**
 * The value of the variable or the one line, without its end, of the file that takes its place; null where there is neither. Throws an
 * Error that names variables and file and holds nothing of the content.
 */
export function givenSecret(name: string, env: Variables): string | null {
  const value = env[name]?.trim() ?? '';
  const file = secretFileOf(name, env);
  if (file === null) return value === '' ? null : value;
  // One of the two is stale, and nobody can tell which.
  if (value !== '') throw new Error(`${name} and ${file.variable} are both set: remove one of the two`);
  try {
    return readLine(file.path);
  } catch (cause) {
    throw new Error(`${file.path} (${file.variable}) ${(cause as Error).message}`, { cause });
  }
}

/** Throws an Error whose message is the second half of a sentence about the file. */
function readLine(path: string): string {
  const text = decode(readBytes(path))
    .replace(/^\uFEFF/, '')
    .trim();
  if (text === '') throw new Error('is empty');
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1F\x7F]/.test(text)) throw new Error('holds more than one line of text');
  return text;
}

function readBytes(path: string): Buffer {
  const descriptor = open(path);
  try {
    const found = fstatSync(descriptor);
    if (found.isDirectory()) throw new Error('is a folder: name the file');
    if (!found.isFile()) throw new Error('is not a regular file');
    // Read by its content: some file systems tell no size.
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += read;
      if (length > MOST_BYTES) throw new Error(`is larger than ${MOST_BYTES} bytes: this is no secret`);
      if (read === 0) return bytes.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number {
  try {
    // A pipe that nobody writes to must not hold up the start before it is refused.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new Error(`cannot be read (${code})${ADVICE.get(code) ?? ''}`, { cause });
  }
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['ENOENT', ': there is no such file'],
  ['EACCES', ': let the user of the worker read it'],
]);

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error('is not text', { cause });
  }
}
