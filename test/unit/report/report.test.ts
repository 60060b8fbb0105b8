import { describe, expect, test } from '@jest/globals';
import { NO_IMAGES, type ReportImages } from '../../../src/report/images.ts';
import { renderReport } from '../../../src/report/report.ts';
import { stretchesOf } from '../../../src/report/timeline.ts';
import { sampleAnalysis, sampleDetection, sampleEvent } from '../../harness/analysis-sample.ts';

const images: ReportImages = {
  keyFrames: [{ frameIndex: 14, t: 1.4, jpeg: new Uint8Array([255, 216, 255]) }],
  highlights: new Map([['highlights/7/1.4s_grabbing.jpg', new Uint8Array([255, 216, 254])]]),
};

/** Every element that was opened is closed again, in order. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', rest = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^>"])*)>/g)) {
    if (['meta', 'img'].includes(name) || rest.endsWith('/')) continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

test('the page holds everything itself: no address but data URLs, and a policy that forbids more', () => {
  const html = renderReport(sampleAnalysis(), images, { title: 'shop.mp4' });
  const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address.slice(0, 22));
  expect(addresses.length).toBe(2);
  expect(new Set(addresses)).toEqual(new Set(['data:image/jpeg;base64']));
  expect(html).not.toMatch(/https?:|@import|url\(|<script|<link/);
  expect(html).toContain("default-src 'none'");
  expect(unbalanced(html)).toEqual([]);
});

test('shows persons, events with their highlight, scene texts, key frames with boxes and timings', () => {
  const html = renderReport(sampleAnalysis(), images, { title: 'shop.mp4' });
  for (const part of [
    '<h1>shop.mp4</h1>',
    'Person 1',
    '34.5 (middle)',
    'female (97 %)',
    'A woman walks.',
    '1:',
    'ageGender',
  ]) {
    expect(html).toContain(part);
  }
  expect(html).toContain('<rect x="100" y="200" width="120.0" height="300.0"');
  expect(html).toContain('class="thumb" src="data:image/jpeg;base64,/9j+"');
});

test('text from outside cannot become markup', () => {
  const evil = `<img src=x onerror="alert(1)">'&`;
  const analysis = sampleAnalysis({
    video: { ...sampleAnalysis().video, codec: evil },
    frames: [{ index: 14, t: 1.4, detections: [sampleDetection({ action: evil, zone: evil })], overlaps: [] }],
    events: [sampleEvent({ type: evil, text: evil, zone: evil })],
    scenes: [{ t: 0, frameIndex: 0, text: evil, source: 'local' }],
    degraded: [{ stage: 'scene', code: evil, message: evil }],
    tracks: sampleAnalysis().tracks.map((track) => ({ ...track, mainAction: evil })),
  });
  const html = renderReport(analysis, images, { title: evil });
  expect(html).not.toContain('<img src=x');
  expect(html).not.toContain('onerror="');
  expect(html).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;');
  expect(unbalanced(html)).toEqual([]);
});

test('a video without people, pictures and events is still a page', () => {
  const empty = sampleAnalysis({ frames: [], tracks: [], events: [], scenes: [] });
  const html = renderReport(empty, NO_IMAGES, { title: 'empty' });
  expect(html).toContain('Nobody was seen');
  expect(html).not.toContain('Key frames');
  expect(unbalanced(html)).toEqual([]);
});

test('what could not be made is said', () => {
  const degraded = [{ stage: 'scene', code: 'THROTTLED', message: 'slow down' }] as const;
  expect(renderReport(sampleAnalysis({ degraded }), NO_IMAGES, { title: 'x' })).toContain(
    'scene: THROTTLED: slow down',
  );
});

describe('timeline', () => {
  test('readings of one action join, and end where the next begins', () => {
    expect(stretchesOf(sampleAnalysis(), 1)).toEqual([
      { action: 'walking', from: 0, to: 1.4 },
      { action: 'grabbing', from: 1.4, to: expect.closeTo(2.667, 3) },
    ]);
  });

  test('a long absence leaves a gap', () => {
    const frames = [0, 7, 100].map((index) => ({
      index,
      t: index / 10,
      detections: [sampleDetection()],
      overlaps: [],
    }));
    const video = { ...sampleAnalysis().video, durationSeconds: 20 };
    expect(stretchesOf(sampleAnalysis({ frames, video }), 1)).toHaveLength(2);
  });
});

describe('missing footage', () => {
  const degraded = [
    { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'no frame came from 0:01.0', fromSeconds: 1, toSeconds: 2 },
    { stage: 'decode', code: 'FOOTAGE_MISSING', message: 'the <end>', fromSeconds: 2.7, toSeconds: 5.4 },
  ] as const;
  /** From where to where the shaded parts of a timeline lie, in shares of its axis. */
  const shaded = (html: string): number[][] =>
    [...html.matchAll(/class="missing" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, x, width]) =>
      [Number(x), Number(x) + Number(width)].map((at) => Math.round(((at - 92) / (960 - 92 - 22)) * 100) / 100),
    );

  test('is listed, and shaded on a timeline that reaches to its end', () => {
    const html = renderReport(sampleAnalysis({ degraded }), NO_IMAGES, { title: 'x' });
    expect(html).toContain('<li>decode: FOOTAGE_MISSING: no frame came from 0:01.0</li>');
    expect(html).toContain('no footage</li>');
    expect(shaded(html)).toEqual([
      [0.19, 0.37],
      [0.5, 1],
    ]);
    expect(html).toContain('<title>the &lt;end&gt;</title>');
    expect(html).not.toMatch(/url\(/);
    expect(unbalanced(html)).toEqual([]);
  });

  test('without an end reaches to the right, and can be seen also where nothing is left', () => {
    const open = degraded.map((part) => ({ ...part, toSeconds: null }));
    const html = renderReport(sampleAnalysis({ degraded: open }), NO_IMAGES, { title: 'x' });
    expect(shaded(html)[0]).toEqual([0.37, 1]);
    expect(html).toMatch(/class="missing" x="935.0" y="22" width="3.0"/);
  });

  test('is shown where nobody was seen, too', () => {
    const empty = { frames: [], tracks: [], events: [], scenes: [] };
    const html = renderReport(sampleAnalysis({ ...empty, degraded }), NO_IMAGES, { title: 'x' });
    expect(html).toContain('Nobody was seen');
    expect(shaded(html)).toHaveLength(2);
    expect(unbalanced(html)).toEqual([]);
  });

  test('is not drawn where the footage is whole', () => {
    expect(renderReport(sampleAnalysis(), NO_IMAGES, { title: 'x' })).not.toMatch(/class="missing"|no footage/);
  });
});

test('the page says what was read and what was left out', () => {
  const html = renderReport(sampleAnalysis(), NO_IMAGES, { title: 'shop.mp4' });
  expect(html).toContain(
    '<td>seen first 1, box changed 1, reading unsure 1</td><td>1</td><td>the last reading held 1</td>',
  );
});
