import type { Reading } from './reading.ts';

/** A level that grows by more than this share between the second and the last tenth is a leak. */
export const MAX_GROWTH = 0.05;

/**
 * Compares the last tenth of a soak with the second: the first still warms up. Memory within five per cent, counts equal or
 * lower, sockets within what the pools may hold. Answers with what is wrong, in words; nothing: flat.
 */
export function judgeSoak(readings: readonly Reading[], poolSockets: number): string[] {
  const [second, last] = [readings[1], readings.at(-1)];
  if (second === undefined || last === undefined || readings.length < 3) return ['too few readings'];
  const problems: string[] = [];
  for (const kind of ['heapUsed', 'external', 'rss'] as const) {
    const [before, after] = [second.memory[kind], last.memory[kind]];
    if (after > before * (1 + MAX_GROWTH)) problems.push(`${kind} grew from ${mib(before)} to ${mib(after)} MiB`);
  }
  for (const name of new Set([...Object.keys(second.counts), ...Object.keys(last.counts)])) {
    const [before, after] = [second.counts[name] ?? 0, last.counts[name] ?? 0];
    if (after > before) problems.push(`${name}: ${before} after the second tenth, ${after} after the last`);
  }
  if (last.sockets > second.sockets + poolSockets) {
    problems.push(`sockets grew from ${second.sockets} to ${last.sockets}`);
  }
  return problems;
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(2);
}
