import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface NotedRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to descriptor 3. */
  readonly notes: string;
}

/** Runs a program with the pipe that a decoder has beside its log. */
export async function runWithNotes(program: string, args: readonly string[]): Promise<NotedRun> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  const read = [child.stdout, child.stderr, child.stdio[3]].map((stream) => text(stream as Readable));
  const [code, stdout = '', stderr = '', notes = ''] = await Promise.all([ended.promise, ...read]);
  return { code, stdout, stderr, notes };
}
