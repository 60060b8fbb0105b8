import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import { formatClock, formatMs } from '../report/format.ts';
import { workRows, type WorkRow } from '../report/work-rows.ts';

/** An analysis in lines for a terminal: persons, events, scene texts, timings. */
export function summaryLines(analysis: VideoAnalysis): string[] {
  const { video, sampling, timings, tracks, events, scenes } = analysis;
  return [
    `${video.width}x${video.height}, ${formatClock(video.durationSeconds)}, ${sampling.frames} frames sampled at ${sampling.framesPerSecond}/s${sampling.decode === 'fast' ? ' (decoded fast)' : ''}${sampling.stillPictures === 'reuse' ? ', still pictures taken over' : ''}, pack ${analysis.pack.name} on ${analysis.pack.device}`,
    '',
    `persons (${tracks.length})`,
    ...tracks.map(
      (track) =>
        `  #${track.id}  ${formatClock(track.startSeconds, true)} to ${formatClock(track.endSeconds, true)}  ${personText(track)}  mostly ${track.mainAction ?? 'unknown'}`,
    ),
    '',
    `events (${events.length})`,
    ...events.map(
      (event) =>
        `  ${formatClock(event.startSeconds, true)}  #${event.track} ${event.type} for ${event.durationSeconds.toFixed(1)} s${event.zone === null ? '' : ` in ${event.zone}`}${event.highlight === null ? '' : `  -> ${event.highlight.key}`}`,
    ),
    '',
    `scenes (${scenes.length})`,
    ...scenes.map((scene) => `  ${formatClock(scene.t, true)}  ${scene.text}`),
    ...analysis.degraded.map(degradedText),
    '',
    `timings: ${formatMs(timings.totalMs)} in all, ${formatMs(timings.decodeMs)} waiting for frames`,
    ...Object.entries(timings.stages).map(
      ([stage, timing]) =>
        `  ${stage.padEnd(12)} ${String(timing.items).padStart(5)} items in ${String(timing.runs).padStart(4)} runs  ${formatMs(timing.runMs)} of ${formatMs(timing.totalMs)} inside the model`,
    ),
    ...(analysis.work === undefined ? [] : ['', 'work (frames of detection, persons of the others)']),
    ...(analysis.work === undefined ? [] : workRows(analysis.work).map(workText)),
  ];
}

function workText({ stage, read, leftOut, why, because }: WorkRow): string {
  const asked = because === '' ? '' : ` (${because})`;
  const spared = leftOut === 0 ? '' : `, ${leftOut} left out (${why})`;
  return `  ${stage.padEnd(12)} ${String(read).padStart(5)} read${asked}${spared}`;
}

function degradedText({ stage, message }: VideoAnalysis['degraded'][number]): string {
  return stage === 'decode' ? `  missing footage: ${message}` : `  without ${stage}: ${message}`;
}

function personText(track: VideoAnalysis['tracks'][number]): string {
  const gender = track.gender ?? 'unknown gender';
  return track.age === null
    ? `${gender}, unknown age`
    : `${gender}, ${track.age.toFixed(0)} years (${track.ageGroup ?? ''})`;
}
