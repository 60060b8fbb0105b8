import type { Command } from 'commander';
import { addAnalyze } from './analyze.ts';
import { addDb } from './db.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addEnqueue } from './enqueue.ts';
import { addEvaluate } from './evaluate.ts';
import { addHighlights } from './highlights.ts';
import { addModels } from './models.ts';
import { addOnce } from './once.ts';
import { addPreflight } from './preflight.ts';
import { addStoredVideos } from './stored-videos.ts';

/** Adds everything that `video-worker` can do, in the order in which its help tells it. */
export function addCommands(program: Command): void {
  for (const add of [
    addAnalyze,
    addEnqueue,
    addEvaluate,
    addOnce,
    addPreflight,
    addDb,
    addDeadLetters,
    addModels,
    addStoredVideos,
    addHighlights,
  ]) {
    add(program);
  }
}
