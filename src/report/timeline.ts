import type { TrackSummary, VideoAnalysis } from '../analysis/video-analysis.ts';
import { escapeHtml } from './escape.ts';
import { formatClock } from './format.ts';

/** A stretch in which a person's reading stayed the same. */
export interface TimelineStretch {
  readonly action: string | null;
  readonly from: number;
  readonly to: number;
}

const LABEL = 92;
const WIDTH = 960;
const ROW = 34;
const TOP = 26;
const RIGHT = 22;
/** What is missing can be seen, however short it is. */
const SMALLEST = 3;

/** The stretches of one person's readings, in time order; a pause longer than three samples is left open. */
export function stretchesOf(analysis: VideoAnalysis, track: number): TimelineStretch[] {
  const period = 1 / analysis.sampling.framesPerSecond;
  const stretches: TimelineStretch[] = [];
  for (const frame of analysis.frames) {
    const seen = frame.detections.find((d) => d.class === 'person' && d.track === track);
    if (seen === undefined) continue;
    const last = stretches.at(-1);
    const to = Math.min(frame.t + period, Math.max(analysis.video.durationSeconds, frame.t));
    const joins = last !== undefined && frame.t - last.to <= 3 * period;
    if (joins && last.action === seen.action) stretches[stretches.length - 1] = { ...last, to };
    else {
      if (joins) stretches[stretches.length - 1] = { ...last, to: frame.t };
      stretches.push({ action: seen.action, from: frame.t, to });
    }
  }
  return stretches;
}

/** One row per person as SVG; bars are readings, dots are events, and what is missing of the video is shaded. */
export function renderTimeline(analysis: VideoAnalysis, colourOf: (action: string | null) => string): string {
  const missing = missingIn(analysis);
  const nobody = '<p class="quiet">Nobody was seen in this video.</p>';
  if (analysis.tracks.length === 0 && missing.length === 0) return nobody;
  const ends = missing.map(({ from, to }) => to ?? from);
  const seconds = Math.max(analysis.video.durationSeconds, analysis.frames.at(-1)?.t ?? 0, 1, ...ends);
  const x = (t: number): number => LABEL + (t / seconds) * (WIDTH - LABEL - RIGHT);
  const height = TOP + Math.max(1, analysis.tracks.length) * ROW + 4;
  const ticks = ticksOf(seconds).map(
    (t) =>
      `<line class="tick" x1="${fixed(x(t))}" x2="${fixed(x(t))}" y1="${TOP - 4}" y2="${height}"/><text class="axis" x="${fixed(x(t))}" y="14" text-anchor="middle">${formatClock(t)}</text>`,
  );
  const rows = analysis.tracks.map((track, row) => renderRow(analysis, track, TOP + row * ROW, { x, colourOf }));
  const holes = missing.map((stretch) => renderMissing(stretch, x, height));
  const svg = `<svg class="timeline" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline per person">${ticks.join('')}${rows.join('')}${holes.join('')}</svg>`;
  return analysis.tracks.length === 0 ? nobody + svg : svg;
}

interface MissingStretch {
  readonly from: number;
  /** Null: to an end that nobody knows. */
  readonly to: number | null;
  readonly message: string;
}

function missingIn({ degraded }: VideoAnalysis): MissingStretch[] {
  return degraded.flatMap(({ stage, fromSeconds, toSeconds, message }) =>
    stage === 'decode' && fromSeconds !== undefined ? { from: fromSeconds, to: toSeconds ?? null, message } : [],
  );
}

/** Over the rows: nothing was seen there, whatever a bar bridges. */
function renderMissing({ from, to, message }: MissingStretch, x: (t: number) => number, height: number): string {
  const left = Math.min(x(from), WIDTH - RIGHT - SMALLEST);
  const right = to === null ? WIDTH - RIGHT : x(to);
  const width = Math.max(SMALLEST, right - left);
  return `<rect class="missing" x="${fixed(left)}" y="${TOP - 4}" width="${fixed(width)}" height="${height - TOP + 4}"><title>${escapeHtml(message)}</title></rect>`;
}

interface Scale {
  readonly x: (t: number) => number;
  readonly colourOf: (action: string | null) => string;
}

function renderRow(analysis: VideoAnalysis, track: TrackSummary, y: number, { x, colourOf }: Scale): string {
  const bars = stretchesOf(analysis, track.id).map(({ action, from, to }) => {
    const width = Math.max(2, x(to) - x(from));
    const title = `${action ?? 'no reading'}, ${formatClock(from, true)} to ${formatClock(to, true)}`;
    return `<rect x="${fixed(x(from))}" y="${y + 6}" width="${fixed(width)}" height="18" rx="3" fill="${colourOf(action)}"><title>${escapeHtml(title)}</title></rect>`;
  });
  const dots = analysis.events
    .filter((event) => event.track === track.id && event.highlight !== null)
    .map(
      (event) =>
        `<circle class="mark" cx="${fixed(x(event.startSeconds))}" cy="${y + 15}" r="5"><title>${escapeHtml(event.text)}</title></circle>`,
    );
  const span = `<line class="span" x1="${fixed(x(track.startSeconds))}" x2="${fixed(x(track.endSeconds))}" y1="${y + 15}" y2="${y + 15}"/>`;
  return `<g><text class="name" x="0" y="${y + 19}">Person ${track.id}</text>${span}${bars.join('')}${dots.join('')}</g>`;
}

/** About eight round positions. */
function ticksOf(seconds: number): number[] {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => seconds / s <= 9) ?? 7200;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

function fixed(value: number): string {
  return value.toFixed(1);
}
