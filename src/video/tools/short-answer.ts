import type { PipedChild } from './child-process.ts';

const LIMIT_MS = 10_000;

/** What a program writes, at most `most` characters of it and a piece, until it ends or has taken ten seconds; it is gone then. */
export async function shortAnswer(child: PipedChild, most: number): Promise<string> {
  const timer = setTimeout(() => void child.stop(), LIMIT_MS);
  let text = '';
  try {
    child.stderr.resume();
    for await (const chunk of child.stdout.setEncoding('utf8')) if (text.length < most) text += String(chunk);
  } catch {
    // Stopped by the timer: what is missing shows in the answer.
  } finally {
    clearTimeout(timer);
    await child.stop();
  }
  return text;
}
