import { constants } from 'node:fs';

const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

/** How a file of the workspace is written: for its owner alone, and never to what a link of its name leads to. */
export const OWN_FILE = { flag: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600 } as const;
