import { type DestinationStream, type Logger, destination, pino, stdSerializers } from 'pino';

import { causesOf } from '../failure/causes.ts';
import { factsOf, type Failure } from '../failure/failure.ts';
import { plainLine } from './plain-line.ts';
import { scrub } from './scrub.ts';

/** The slice of pino that the rooms use; a child logger carries the job's correlation fields. */
export type { Logger };

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  readonly name: string;
  /** Standard error when absent: standard output belongs to the results of a command. */
  readonly destination?: LogDestination;
}

export interface LogDestination {
  write(line: string): unknown;
}

/** Message bodies hold whatever a sender put there, and may be 1 MiB. */
const NEVER_LOGGED = [
  'body',
  'Body',
  'messageBody',
  'password',
  'secretAccessKey',
  'sessionToken',
  'credentials',
  'authorization',
];
const LONGEST_TEXT = 4_000;

/**
 * One JSON object (or plain line) per entry. Every finished line is scrubbed as a whole, so that a presigned URL in an
 * error's stack, its cause or a nested field is masked like one in a field that we know.
 */
export function createLogger(options: LoggerOptions): Logger {
  // Synchronous, so that the last words before an exit are not lost.
  const out = options.destination ?? destination({ dest: 2, sync: true });
  const render = options.format === 'pretty' ? plainLine : (line: string) => line;
  const stream: DestinationStream = { write: (line) => void out.write(render(scrub(line))) };
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: Error) => withStageAmongDetails(stdSerializers.errWithCause(error)) },
      redact: { paths: NEVER_LOGGED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '***' },
      formatters: { level: (label) => ({ level: label }), log: shortened },
    },
    stream,
  );
}

function shortened(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > LONGEST_TEXT
        ? `${value.slice(0, LONGEST_TEXT)}... (${value.length} characters)`
        : value,
    ]),
  );
}

/** Whoever searches logs and database finds the stage of a failure in one place: among its details. */
function withStageAmongDetails(serialized: unknown): unknown {
  for (const link of causesOf(serialized)) {
    if (!isFailure(link)) continue;
    Object.assign(link, { details: factsOf(link) });
    Reflect.deleteProperty(link, 'stage');
  }
  return serialized;
}

function isFailure(link: object): link is Pick<Failure, 'details' | 'stage'> {
  return 'type' in link && link.type === 'Failure' && 'stage' in link && 'details' in link;
}
