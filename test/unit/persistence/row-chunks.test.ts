import { expect, test } from '@jest/globals';
import { rowChunks } from '../../../src/persistence/row-chunks.ts';
import { analysisRows, countRows } from '../../../src/persistence/rows.ts';
import { sampleAnalysis, sampleDetection } from '../../harness/analysis-sample.ts';

const scene = (letters: number) => ({ t: 1, frameIndex: 1, text: 'x'.repeat(letters), source: 'local' as const });
const frames = Array.from({ length: 7 }, (_, index) => ({
  index,
  t: index,
  overlaps: [],
  detections: [sampleDetection({ score: index / 10 }), sampleDetection()],
}));

test('no chunk has more rows or characters than its limits, and together they are all rows, in order', () => {
  const analysis = sampleAnalysis({ frames, scenes: [scene(300), scene(300), scene(300)] });
  const limits = { rows: 4, characters: 800 };
  const chunks = [...rowChunks(analysisRows(analysis, null), limits)];
  for (const { json, rows } of chunks) {
    const parsed = JSON.parse(json) as unknown[];
    expect(parsed).toHaveLength(rows);
    expect(rows).toBeLessThanOrEqual(limits.rows);
    expect(json.length).toBeLessThanOrEqual(limits.characters + rows + 1);
  }
  expect(chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(countRows(analysis));
  const boxes = chunks
    .filter(({ table }) => table === 'observation_rows')
    .flatMap(({ json }) => JSON.parse(json) as object[]);
  expect(boxes).toMatchObject(frames.flatMap(({ index }) => [{ frame_index: index, score: index / 10 }, {}]));
});

test('a row that is longer than the limit goes alone', () => {
  const analysis = sampleAnalysis({ frames: [], tracks: [], events: [], scenes: [scene(5), scene(900), scene(5)] });
  const chunks = [...rowChunks(analysisRows(analysis, null), { rows: 10, characters: 200 })];
  expect(chunks.map(({ rows }) => rows)).toEqual([1, 1, 1]);
});

test('parents come before their children, and the columns are those of the table', () => {
  const chunks = [...rowChunks(analysisRows(sampleAnalysis(), null))];
  expect(chunks.map(({ table }) => table)).toEqual([
    'person_track_rows',
    'observation_rows',
    'action_event_rows',
    'scene_rows',
  ]);
  expect(chunks[0]?.columns).toContain('start_seconds');
  expect(chunks[0]?.columns).not.toContain('run_id');
});

test('the same rows give the same pieces again, and none is made before it is asked for', () => {
  let made = 0;
  const rows = analysisRows(sampleAnalysis({ frames }), null);
  const counted = {
    ...rows,
    observations: {
      *[Symbol.iterator]() {
        for (const row of rows.observations) {
          made += 1;
          yield row;
        }
      },
    },
  };
  const limits = { rows: 3, characters: 10_000 };
  const chunks = rowChunks(counted, limits);
  chunks.next();
  expect(made).toBe(0);
  chunks.next();
  expect(made).toBe(4);
  expect([...rowChunks(rows, limits)]).toEqual([...rowChunks(rows, limits)]);
});
