import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';

export interface NotedRun {
  readonly code: number | null;
  /** As it came: pictures are no text. */
  readonly stdout: Buffer;
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
  const [stderr, notes] = [child.stderr, child.stdio[3]].map((stream) => text(stream as Readable));
  const [code, stdout, log = '', said = ''] = await Promise.all([
    ended.promise,
    buffer(child.stdout as Readable),
    stderr,
    notes,
  ]);
  return { code, stdout, stderr: log, notes: said };
}
