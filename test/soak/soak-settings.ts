import type { Reading } from './reading.ts';

/** What the run tells the worker process in its first argument, as JSON. */
export interface SoakSettings {
  readonly endpoint: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly databaseUrl: string;
  readonly workDir: string;
  /** Null: the system's ffmpeg. */
  readonly tools: { readonly ffmpegPath: string; readonly ffprobePath: string } | null;
  readonly jobs: number;
  readonly slots: number;
  /** Adds a listener per job that nobody removes, to see that the soak finds it. */
  readonly leak: boolean;
}

export interface SoakAnswer {
  readonly readings: readonly Reading[];
  readonly completed: number;
  readonly deadLettered: number;
  readonly warnings: readonly string[];
}
