import type { Box } from '../vision/box.ts';
import type { Picture } from '../vision/picture.ts';
import type { JpegOptions } from './model-chain.ts';

const DEFAULT_QUALITY = 85;

/** The picture as JPEG bytes, with an optional box and caption in display size; its pixels are read, shared memory too, until it settles. */
export async function encodeJpeg(picture: Picture, options: JpegOptions): Promise<Uint8Array> {
  const { width, height, pixels } = picture;
  // Most analyses make no picture: libvips is loaded for the first one.
  const { default: sharp } = await import('sharp');
  // No picture is met twice, and threads of its own would take the models' cores for one that is small.
  sharp.cache(false);
  sharp.concurrency(1);
  const overlay = overlaySvg(picture, options);
  let image = sharp(pixels, { raw: { width, height, channels: 3 } });
  if (overlay !== null) image = image.composite([{ input: Buffer.from(overlay), top: 0, left: 0 }]);
  if (options.maxWidth !== undefined && options.maxWidth < width) {
    // A pipeline resizes before it composites: the overlay must be burnt in first, for its coordinates are the frame's.
    const burnt = await image.raw().toBuffer({ resolveWithObject: true });
    const { channels } = burnt.info;
    image = sharp(burnt.data, { raw: { width, height, channels } }).resize({ width: Math.max(1, options.maxWidth) });
  }
  const { data } = await image
    .removeAlpha()
    .jpeg({ quality: options.quality ?? DEFAULT_QUALITY, chromaSubsampling: '4:2:0' })
    .toBuffer({ resolveWithObject: true });
  // A Buffer may lie in memory that it shares with others, and all of that would be sent with it to another thread.
  return Uint8Array.from(data);
}

/** SVG with the box and its caption, null where there is nothing to draw. */
export function overlaySvg(
  size: { readonly width: number; readonly height: number },
  options: JpegOptions,
): string | null {
  const { box, caption } = options;
  if (box === undefined && caption === undefined) return null;
  const line = Math.max(2, Math.round(size.width / 400));
  const font = Math.max(12, Math.round(size.height / 36));
  const parts: string[] = [];
  if (box !== undefined) {
    const { x, y, width, height } = inside(box, size, line);
    parts.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#ff3b30" stroke-width="${line}"/>`,
    );
  }
  if (caption !== undefined && caption !== '') {
    const barHeight = Math.round(font * 1.5);
    const left = box === undefined ? 0 : Math.max(0, Math.round(box.x1));
    const above = box === undefined ? 0 : Math.round(box.y1) - barHeight;
    const top = Math.min(Math.max(0, above), Math.max(0, size.height - barHeight));
    const barWidth = Math.min(size.width - left, Math.round(font * 0.62 * caption.length + font));
    parts.push(
      `<rect x="${left}" y="${top}" width="${barWidth}" height="${barHeight}" fill="#000000" fill-opacity="0.65"/>`,
      `<text x="${left + font / 2}" y="${top + font * 1.1}" font-family="sans-serif" font-size="${font}" fill="#ffffff">${escapeXml(caption)}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${parts.join('')}</svg>`;
}

function inside(
  box: Box,
  size: { readonly width: number; readonly height: number },
  line: number,
): { x: number; y: number; width: number; height: number } {
  const half = line / 2;
  const x = Math.min(Math.max(half, box.x1), size.width - half);
  const y = Math.min(Math.max(half, box.y1), size.height - half);
  return {
    x,
    y,
    width: Math.max(1, Math.min(box.x2, size.width - half) - x),
    height: Math.max(1, Math.min(box.y2, size.height - half) - y),
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- XML 1.0 cannot hold control characters, not even escaped
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, ' ');
}
