/* oxlint-disable */
// A stand-in for the exact pixel functions of this room; goes away with the first of them.
import type { Box } from './box.ts';
import type { Picture } from './picture.ts';

type Rgb = readonly number[];
export interface Norm {
  readonly mean: Rgb;
  readonly std: Rgb;
}

export function writePlanes(p: Picture, out: Float32Array, offset: number, norm?: Norm): void {
  const n = p.width * p.height;
  for (let c = 0; c < 3; c++) {
    const m = norm?.mean[c] ?? 0,
      s = norm?.std[c] ?? 1;
    for (let i = 0; i < n; i++) out[offset + c * n + i] = ((p.pixels[i * 3 + c] ?? 0) / 255 - m) / s;
  }
}
function bilinear(p: Picture, w: number, h: number): Picture {
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const sx = Math.min(Math.max(((x + 0.5) * p.width) / w - 0.5, 0), p.width - 1),
        sy = Math.min(Math.max(((y + 0.5) * p.height) / h - 0.5, 0), p.height - 1);
      const x0 = Math.floor(sx),
        y0 = Math.floor(sy),
        x1 = Math.min(x0 + 1, p.width - 1),
        y1 = Math.min(y0 + 1, p.height - 1),
        fx = sx - x0,
        fy = sy - y0;
      for (let c = 0; c < 3; c++) {
        const g = (xx: number, yy: number) => p.pixels[(yy * p.width + xx) * 3 + c] ?? 0;
        out[(y * w + x) * 3 + c] = Math.round(
          (g(x0, y0) * (1 - fx) + g(x1, y0) * fx) * (1 - fy) + (g(x0, y1) * (1 - fx) + g(x1, y1) * fx) * fy,
        );
      }
    }
  return { width: w, height: h, pixels: out };
}
function geometry(w: number, h: number, tw: number, th: number) {
  const r = Math.min(tw / w, th / h),
    nw = Math.round(w * r),
    nh = Math.round(h * r);
  return { r, nw, nh, left: Math.round((tw - nw) / 2 - 0.1), top: Math.round((th - nh) / 2 - 0.1) };
}
export function letterbox(p: Picture, w: number, h: number, fill: number): Picture {
  const { nw, nh, left, top } = geometry(p.width, p.height, w, h);
  const r = bilinear(p, nw, nh),
    out = new Uint8Array(w * h * 3).fill(fill);
  for (let y = 0; y < nh; y++) out.set(r.pixels.subarray(y * nw * 3, (y + 1) * nw * 3), ((top + y) * w + left) * 3);
  return { width: w, height: h, pixels: out };
}
export function fromLetterbox(b: Box, sw: number, sh: number, tw: number, th: number): Box {
  const { r, left, top } = geometry(sw, sh, tw, th);
  const cx = (v: number) => Math.min(Math.max((v - left) / r, 0), sw),
    cy = (v: number) => Math.min(Math.max((v - top) / r, 0), sh);
  return { x1: cx(b.x1), y1: cy(b.y1), x2: cx(b.x2), y2: cy(b.y2) };
}
function iou(a: Box, b: Box): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1),
    h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  const i = w * h;
  return i / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - i);
}
export function decodeDetections(
  raw: Float32Array,
  o: { anchors: number; classes: number; confidence: number; iou: number; maxDetections: number },
): readonly { classIndex: number; score: number; box: Box }[] {
  const A = o.anchors,
    c: { classIndex: number; score: number; box: Box }[] = [];
  for (let a = 0; a < A; a++) {
    let best = 0;
    for (let k = 1; k < o.classes; k++) if (raw[(4 + k) * A + a]! > raw[(4 + best) * A + a]!) best = k;
    const score = raw[(4 + best) * A + a]!;
    if (score > o.confidence) {
      const [x, y, w, h] = [raw[a]!, raw[A + a]!, raw[2 * A + a]!, raw[3 * A + a]!];
      c.push({ classIndex: best, score, box: { x1: x - w / 2, y1: y - h / 2, x2: x + w / 2, y2: y + h / 2 } });
    }
  }
  c.sort((a, b) => b.score - a.score);
  const kept: typeof c = [];
  for (const d of c) if (!kept.some((k) => k.classIndex === d.classIndex && iou(k.box, d.box) > o.iou)) kept.push(d);
  return kept.slice(0, o.maxDetections);
}
function cut(p: Picture, b: Box): Picture | null {
  const x1 = Math.min(Math.max(Math.trunc(b.x1), 0), p.width - 1),
    y1 = Math.min(Math.max(Math.trunc(b.y1), 0), p.height - 1),
    x2 = Math.min(Math.max(Math.trunc(b.x2), 0), p.width),
    y2 = Math.min(Math.max(Math.trunc(b.y2), 0), p.height);
  const w = x2 - x1,
    h = y2 - y1;
  if (w < 1 || h < 1) return null;
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++)
    out.set(p.pixels.subarray(((y1 + y) * p.width + x1) * 3, ((y1 + y) * p.width + x1 + w) * 3), y * w * 3);
  return { width: w, height: h, pixels: out };
}
export function faceCrop(p: Picture, b: Box): Picture | null {
  return cut(p, b);
}
export function bodyCrop(p: Picture, d: readonly { box: Box }[], i: number): Picture | null {
  const c = cut(p, d[i]!.box);
  return c === null || c.width < 50 || c.height < 50 ? null : c;
}
export function writeAgeGenderRow(
  face: Picture | null,
  body: Picture | null,
  out: Float32Array,
  offset: number,
  o: { size: number } & Norm,
): void {
  const black = { width: 1, height: 1, pixels: new Uint8Array(3) };
  writePlanes(letterbox(face ?? black, o.size, o.size, 0), out, offset, o);
  writePlanes(letterbox(body ?? black, o.size, o.size, 0), out, offset + 3 * o.size * o.size, o);
}
export function readAgeGender(v: Float32Array, o: { minAge: number; maxAge: number; avgAge: number }) {
  const [m, f] = softmax([v[0]!, v[1]!]) as [number, number];
  return {
    age: Math.round((v[2]! * (o.maxAge - o.minAge) + o.avgAge) * 100) / 100,
    gender: m >= f ? ('male' as const) : ('female' as const),
    genderScore: Math.max(m, f),
  };
}
export function softmax(v: ArrayLike<number>): number[] {
  const a = Array.from(v),
    m = Math.max(...a),
    e = a.map((x) => Math.exp(x - m)),
    s = e.reduce((x, y) => x + y, 0);
  return e.map((x) => x / s);
}
export function orientationCrop(p: Picture, b: Box, o: { width: number; height: number; scale: number }): Picture {
  const { width: w, height: h } = o;
  const bw = b.x2 - b.x1,
    bh = b.y2 - b.y1;
  const W = o.scale * Math.max(bw, (bh * w) / h),
    s = W / w;
  const cx = (b.x1 + b.x2) / 2,
    cy = (b.y1 + b.y2) / 2;
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const sx = cx + (x - w / 2) * s,
        sy = cy + (y - h / 2) * s,
        x0 = Math.floor(sx),
        y0 = Math.floor(sy),
        fx = sx - x0,
        fy = sy - y0;
      for (let c = 0; c < 3; c++) {
        const g = (xx: number, yy: number) =>
          xx < 0 || yy < 0 || xx >= p.width || yy >= p.height ? 0 : p.pixels[(yy * p.width + xx) * 3 + c]!;
        out[(y * w + x) * 3 + c] = Math.round(
          (g(x0, y0) * (1 - fx) + g(x0 + 1, y0) * fx) * (1 - fy) +
            (g(x0, y0 + 1) * (1 - fx) + g(x0 + 1, y0 + 1) * fx) * fy,
        );
      }
    }
  return { width: w, height: h, pixels: out };
}
export function readAngle(bins: Float32Array) {
  let b = 0;
  for (let i = 1; i < bins.length; i++) if (bins[i]! > bins[b]!) b = i;
  return { degrees: (b * 360) / bins.length, score: bins[b]! };
}
export function padSquare(p: Picture): Picture {
  const n = Math.max(p.width, p.height),
    l = Math.floor((n - p.width) / 2),
    t = Math.floor((n - p.height) / 2),
    out = new Uint8Array(n * n * 3);
  for (let y = 0; y < p.height; y++)
    out.set(p.pixels.subarray(y * p.width * 3, (y + 1) * p.width * 3), ((t + y) * n + l) * 3);
  return { width: n, height: n, pixels: out };
}
function kernel(x: number): number {
  const a = -0.5;
  x = Math.abs(x);
  return x < 1 ? (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1 : x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}
export function resizeBicubic(p: Picture, w: number, h: number): Picture {
  const axis = (
    src: Uint8Array,
    n: number,
    m: number,
    stride: number,
    lines: number,
    lineStride: number,
    out: Uint8Array,
    ostride: number,
    olineStride: number,
  ) => {
    const scale = n / m,
      fs = Math.max(scale, 1),
      sup = 2 * fs;
    for (let i = 0; i < m; i++) {
      const c = (i + 0.5) * scale,
        lo = Math.max(0, Math.floor(c - sup + 0.5)),
        hi = Math.min(n, Math.floor(c + sup + 0.5));
      const k: number[] = [];
      let s = 0;
      for (let j = lo; j < hi; j++) {
        const v = kernel((j - c + 0.5) / fs);
        k.push(v);
        s += v;
      }
      for (let l = 0; l < lines; l++)
        for (let ch = 0; ch < 3; ch++) {
          let v = 0;
          for (let j = lo; j < hi; j++) v += (src[l * lineStride + j * stride + ch]! * k[j - lo]!) / s;
          out[l * olineStride + i * ostride + ch] = Math.min(255, Math.max(0, Math.round(v)));
        }
    }
  };
  const a = new Uint8Array(w * p.height * 3);
  axis(p.pixels, p.width, w, 3, p.height, p.width * 3, a, 3, w * 3);
  const b = new Uint8Array(w * h * 3);
  axis(a, p.height, h, w * 3, w, 3, b, w * 3, 3);
  return { width: w, height: h, pixels: b };
}
