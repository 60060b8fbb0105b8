import type { ActionEvent, TrackSummary, VideoAnalysis } from '../analysis/video-analysis.ts';
import { renderKeyFrame } from './annotated-frame.ts';
import { escapeHtml } from './escape.ts';
import { formatBytes, formatClock, formatMs } from './format.ts';
import { jpegDataUrl, type ReportImages } from './images.ts';
import { createPalette } from './palette.ts';
import { STYLE } from './style.ts';
import { renderTimeline } from './timeline.ts';
import { workRows } from './work-rows.ts';

export interface ReportOptions {
  /** Shown as heading: a file name or a video id. */
  readonly title: string;
}

type Colours = (action: string | null) => string;

/** The analysis as one HTML page that needs no other file and no network. */
export function renderReport(analysis: VideoAnalysis, images: ReportImages, options: ReportOptions): string {
  const actions = actionsOf(analysis);
  const colourOf = createPalette(actions);
  const sections = [
    renderFacts(analysis),
    renderDegraded(analysis),
    section(
      'Timeline',
      `<div class="card">${renderTimeline(analysis, colourOf)}${renderLegend(analysis, actions, colourOf)}</div>`,
    ),
    images.keyFrames.length === 0
      ? ''
      : section(
          'Key frames',
          `<div class="frames">${images.keyFrames.map((frame) => renderKeyFrame(analysis, frame, colourOf)).join('')}</div>`,
        ),
    analysis.tracks.length === 0 ? '' : section('Persons', renderPersons(analysis.tracks)),
    section(`Events (${analysis.events.length})`, renderEvents(analysis.events, images, colourOf)),
    analysis.scenes.length === 0 ? '' : section('Scenes', renderScenes(analysis)),
    renderWork(analysis),
    section('Timings', renderTimings(analysis)),
  ];
  const title = escapeHtml(options.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>${title}</h1>
<p class="sub">${escapeHtml(subtitle(analysis))}</p>
${sections.filter((part) => part !== '').join('\n')}
</main></body>
</html>
`;
}

function actionsOf(analysis: VideoAnalysis): string[] {
  const seen = analysis.frames.flatMap(({ detections }) => detections.flatMap(({ action }) => action ?? []));
  return [...new Set([...seen, ...analysis.events.map(({ type }) => type)])].sort((a, b) => a.localeCompare(b));
}

function subtitle({ video, pack, sampling }: VideoAnalysis): string {
  return [
    `${video.width} x ${video.height}`,
    `${video.frameRate.toFixed(2).replace(/\.?0+$/, '')} frames/s`,
    video.codec,
    formatBytes(video.sizeBytes),
    `pack ${pack.name} on ${pack.device}`,
    `${sampling.framesPerSecond} samples/s, attributes ${sampling.attributes}${sampling.decode === 'fast' ? ', decoded fast' : ''}${sampling.stillPictures === 'reuse' ? ', still pictures taken over' : ''}`,
  ].join(' · ');
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function renderFacts(analysis: VideoAnalysis): string {
  const speed = analysis.timings.totalMs > 0 ? (analysis.sampling.frames * 1000) / analysis.timings.totalMs : 0;
  const facts: (readonly [string, string])[] = [
    ['Persons', String(analysis.tracks.length)],
    ['Events', String(analysis.events.length)],
    ['Highlights', String(analysis.events.filter(({ highlight }) => highlight !== null).length)],
    ['Length', formatClock(analysis.video.durationSeconds)],
    ['Sampled frames', String(analysis.sampling.frames)],
    ['Analysed in', formatMs(analysis.timings.totalMs)],
    ['Speed', `${speed.toFixed(1)} frames/s`],
  ];
  if (analysis.sceneCost !== undefined) facts.push(['Scene cost', `$${analysis.sceneCost.usd.toFixed(4)}`]);
  const items = facts.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`);
  return `<dl class="facts">${items.join('')}</dl>`;
}

function renderDegraded({ degraded }: VideoAnalysis): string {
  if (degraded.length === 0) return '';
  const lines = degraded.map(({ stage, code, message }) => `<li>${escapeHtml(`${stage}: ${code}: ${message}`)}</li>`);
  return section('Incomplete', `<div class="card warn"><ul>${lines.join('')}</ul></div>`);
}

function renderLegend({ degraded }: VideoAnalysis, actions: readonly string[], colourOf: Colours): string {
  const items = actions.map((name) => `<li><i style="background:${colourOf(name)}"></i>${escapeHtml(name)}</li>`);
  if (degraded.some(({ stage }) => stage === 'decode')) items.push('<li><i class="gap"></i>no footage</li>');
  return items.length === 0 ? '' : `<ul class="legend">${items.join('')}</ul>`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = headings.map((heading) => `<th>${escapeHtml(heading)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('');
  return `<div class="card"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function renderPersons(tracks: readonly TrackSummary[]): string {
  const rows = tracks.map((track) => [
    `Person ${track.id}`,
    `${formatClock(track.startSeconds, true)} to ${formatClock(track.endSeconds, true)}`,
    track.age === null ? '–' : `${track.age.toFixed(1)} (${escapeHtml(track.ageGroup ?? '')})`,
    track.gender === null ? '–' : `${track.gender} (${percent(track.genderScore)})`,
    escapeHtml(track.mainAction ?? '–'),
    String(track.observations),
  ]);
  return table(['Person', 'In view', 'Age', 'Gender', 'Mostly', 'Observations'], rows);
}

function renderEvents(events: readonly ActionEvent[], images: ReportImages, colourOf: Colours): string {
  if (events.length === 0) return '<p class="quiet">No action lasted long enough to be an event.</p>';
  const rows = events.map((event) => {
    const jpeg = event.highlight === null ? undefined : images.highlights.get(event.highlight.key);
    const picture =
      jpeg === undefined ? '' : `<img class="thumb" src="${jpegDataUrl(jpeg)}" alt="${escapeHtml(event.text)}">`;
    return [
      formatClock(event.startSeconds, true),
      `<span class="dot" style="background:${colourOf(event.type)}"></span>${escapeHtml(event.type)}`,
      `Person ${event.track}`,
      `${event.durationSeconds.toFixed(1)} s`,
      percent(event.confidence),
      escapeHtml(event.zone ?? '–'),
      picture,
    ];
  });
  return table(['Start', 'Action', 'Person', 'Duration', 'Confidence', 'Zone', 'Highlight'], rows);
}

function renderScenes({ scenes }: VideoAnalysis): string {
  return table(
    ['Time', 'Text', 'Source'],
    scenes.map(({ t, text, source }) => [formatClock(t, true), escapeHtml(text), escapeHtml(source)]),
  );
}

function renderTimings({ timings }: VideoAnalysis): string {
  const rows = Object.entries(timings.stages).map(([stage, { runs, items, runMs, totalMs }]) => [
    escapeHtml(stage),
    String(items),
    String(runs),
    formatMs(runMs),
    formatMs(totalMs),
    items === 0 ? '–' : formatMs(totalMs / items),
  ]);
  rows.push(['waiting for frames', '', '', '', formatMs(timings.decodeMs), '']);
  return table(['Stage', 'Items', 'Runs', 'In the model', 'In the stage', 'Per item'], rows);
}

function renderWork({ work }: VideoAnalysis): string {
  if (work === undefined) return '';
  const rows = workRows(work).map(({ stage, read, leftOut, why, because }) => [
    escapeHtml(stage),
    String(read),
    escapeHtml(because),
    String(leftOut),
    escapeHtml(why),
  ]);
  return section('Work', table(['Stage', 'Read', 'For', 'Left out', 'For'], rows));
}

function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}
