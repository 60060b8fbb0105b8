import type { ObservedDetection, VideoAnalysis } from '../analysis/video-analysis.ts';
import { escapeHtml } from './escape.ts';
import { formatClock } from './format.ts';
import { jpegDataUrl, type ReportImages } from './images.ts';

/** A picture with the persons' boxes drawn over it: the JPEG stays plain, the boxes are SVG in source pixels. */
export function renderKeyFrame(
  analysis: VideoAnalysis,
  picture: ReportImages['keyFrames'][number],
  colourOf: (action: string | null) => string,
): string {
  const { width, height } = analysis.video;
  const frame = analysis.frames.find(({ index }) => index === picture.frameIndex);
  const scale = Math.max(width, height) / 1280;
  const boxes = (frame?.detections ?? [])
    .filter((detection) => detection.class === 'person' && detection.track !== null)
    .map((detection) => renderBox(detection, colourOf(detection.action), scale));
  const caption = `${formatClock(picture.t, true)}, frame ${picture.frameIndex}`;
  return `<figure class="frame"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(caption)}"><image href="${jpegDataUrl(picture.jpeg)}" width="${width}" height="${height}"/>${boxes.join('')}</svg><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

function renderBox(detection: ObservedDetection, colour: string, scale: number): string {
  const [x1, y1, x2, y2] = detection.box;
  const size = 20 * scale;
  const label = [`${detection.track ?? ''}`, detection.action].filter((part) => part !== null).join(' ');
  const labelWidth = (label.length * 0.62 + 0.8) * size;
  const top = Math.max(0, y1 - size * 1.35);
  const arrow =
    detection.orientation === null ? '' : renderHeading(detection.box, detection.orientation, colour, scale);
  return (
    `<rect x="${x1}" y="${y1}" width="${fixed(x2 - x1)}" height="${fixed(y2 - y1)}" fill="none" stroke="${colour}" stroke-width="${fixed(4 * scale)}" rx="${fixed(4 * scale)}"/>` +
    arrow +
    `<rect x="${x1}" y="${fixed(top)}" width="${fixed(labelWidth)}" height="${fixed(size * 1.35)}" fill="${colour}" rx="${fixed(3 * scale)}"/>` +
    `<text x="${fixed(x1 + size * 0.4)}" y="${fixed(top + size)}" font-size="${fixed(size)}" fill="#fff" class="tag">${escapeHtml(label)}</text>`
  );
}

/** The body's heading from above: up is away from the camera, as the model's degrees are drawn by its authors. */
function renderHeading(box: ObservedDetection['box'], degrees: number, colour: string, scale: number): string {
  const radius = 18 * scale;
  const cx = (box[0] + box[2]) / 2;
  const cy = box[3] - radius - 4 * scale;
  const angle = (degrees * Math.PI) / 180;
  const tipX = cx - Math.sin(angle) * radius;
  const tipY = cy - Math.cos(angle) * radius;
  return (
    `<circle cx="${fixed(cx)}" cy="${fixed(cy)}" r="${fixed(radius)}" fill="#0008" stroke="${colour}" stroke-width="${fixed(2 * scale)}"/>` +
    `<line x1="${fixed(cx)}" y1="${fixed(cy)}" x2="${fixed(tipX)}" y2="${fixed(tipY)}" stroke="#fff" stroke-width="${fixed(3 * scale)}" stroke-linecap="round"/>`
  );
}

function fixed(value: number): string {
  return value.toFixed(1);
}
