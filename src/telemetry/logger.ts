import { type DestinationStream, type Logger, destination, pino } from 'pino';

import { outsideText } from '../text/outside-text.ts';
import { errorEntry } from './error-entry.ts';
import { guardedEntry } from './log-guard.ts';
import { plainLine } from './plain-line.ts';

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

/** One JSON object (or plain line) per entry, each through the guard as a whole: message, fields, and those of a child logger. */
export function createLogger(options: LoggerOptions): Logger {
  // Synchronous, so that the last words before an exit are not lost.
  const out = options.destination ?? destination({ dest: 2, sync: true });
  const render = options.format === 'pretty' ? plainLine : jsonLine;
  const stream: DestinationStream = { write: (line) => void out.write(guarded(line, render)) };
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorEntry },
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}

type Render = (entry: Readonly<Record<string, unknown>>) => string;

function guarded(line: string, render: Render): string {
  try {
    return render(guardedEntry(JSON.parse(line) as Record<string, unknown>));
  } catch {
    return `${outsideText(line)}\n`;
  }
}

function jsonLine(entry: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(entry)}\n`;
}
