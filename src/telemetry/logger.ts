import type { Logger } from 'pino';

/** The slice of pino that the rooms use; a child logger carries the job's correlation fields. */
export type { Logger };
