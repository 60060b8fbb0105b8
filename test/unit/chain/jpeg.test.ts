import { expect, test } from '@jest/globals';
import { overlaySvg } from '../../../src/chain/jpeg.ts';

const size = { width: 640, height: 360 };

test('nothing to draw gives no overlay', () => {
  expect(overlaySvg(size, {})).toBeNull();
});

test('a caption cannot become markup', () => {
  const svg = overlaySvg(size, { caption: '<script>"a" & \u0001b</script>' });
  expect(svg).toContain('&lt;script&gt;&quot;a&quot; &amp;  b&lt;/script&gt;');
});

test('a box over the edge is drawn inside the picture, its caption too', () => {
  const svg = overlaySvg(size, { box: { x1: -20, y1: -5, x2: 900, y2: 400 }, caption: 'x' }) ?? '';
  const [outline, bar] = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)].map(
    ([, ...numbers]) => numbers.map(Number),
  );
  expect(outline).toEqual([1, 1, 638, 358]);
  expect(bar![1]).toBe(0);
});
