import { readFileSync } from 'node:fs';

// A part of every command and of every `--version`: a schema would cost more than all the rest of it.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version?: unknown;
};

/** The version of the installed package, from the source tree and from the build alike. */
export const VERSION: string = String(version);
