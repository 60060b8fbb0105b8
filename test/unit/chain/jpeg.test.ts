import { expect, jest, test } from '@jest/globals';
import { encodeJpeg, overlaySvg } from '../../../src/chain/jpeg.ts';

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

test.each([
  ['as it is', {}],
  ['drawn on and made smaller', { box: { x1: 4, y1: 4, x2: 40, y2: 30 }, caption: 'x', maxWidth: 32, quality: 70 }],
])(
  'a frame in shared memory, %s, becomes the JPEG that it is in memory of its own, and is not copied',
  async (_how, options) => {
    const [width, height] = [64, 48];
    const shared = new Uint8Array(new SharedArrayBuffer(width * height * 3));
    for (let i = 0; i < shared.length; i++) shared[i] = i * 7;
    const own = Uint8Array.from(shared);
    const expected = await encodeJpeg({ width, height, pixels: own }, options);
    const copied = jest.spyOn(Uint8Array, 'from');
    const jpeg = await encodeJpeg({ width, height, pixels: shared }, options);
    expect(copied.mock.calls.filter(([source]) => Object.is(source, shared))).toEqual([]);
    copied.mockRestore();
    expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8]);
    expect(Buffer.compare(jpeg, expected)).toBe(0);
    // Nothing else travels with it to another thread.
    expect([jpeg.constructor, jpeg.buffer.byteLength]).toEqual([Uint8Array, jpeg.length]);
    expect(Buffer.compare(shared, own)).toBe(0);
  },
);
