import { accessSync } from 'node:fs';
import { describe } from '@jest/globals';

const PROGRAM = '/usr/bin/bwrap';

/** Tests that need bubblewrap, which scripts/setup installs where it can; named among the skipped ones where it is not. */
export function describeWithBubblewrap(name: string, tests: () => void): void {
  if (isThere()) describe(name, tests);
  else describe.skip(`${name} (no ${PROGRAM}: install bubblewrap)`, tests);
}

function isThere(): boolean {
  try {
    accessSync(PROGRAM);
    return true;
  } catch {
    return false;
  }
}
