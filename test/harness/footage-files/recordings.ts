import type { FootageGround } from './footage-ground.ts';
import { rawPictures, type PictureSettings } from './picture.ts';

/** H.264 in which a frame comes out as soon as it went in, with a key frame every three seconds at ten frames a second. */
export const H264: readonly string[] = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-crf',
  '12',
  '-pix_fmt',
  'yuv420p',
  '-bf',
  '0',
  '-g',
  '30',
  '-keyint_min',
  '30',
  '-sc_threshold',
  '0',
];
/** H.264 that is stored in another order than it is shown in. */
export const REORDERED: readonly string[] = [
  ...H264.filter((_, i) => i < 8),
  '-bf',
  '3',
  '-g',
  '30',
  '-sc_threshold',
  '0',
  '-x264-params',
  'b-adapt=0',
];
export const MJPEG: readonly string[] = ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p'];
/** A tone that costs little. */
const TONE = ['-c:a', 'aac', '-ar', '22050', '-ac', '1', '-b:a', '8k'];

/** Numbered pictures as an input of ffmpeg. */
export async function pictures(ground: FootageGround, settings: PictureSettings, rate = 10): Promise<string[]> {
  const { width, height } = settings;
  const raw = await ground.write('pictures.rgb', rawPictures(settings));
  return ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(rate), '-i', raw];
}

export interface Recording extends Partial<PictureSettings> {
  readonly rate?: number;
  readonly codec?: readonly string[];
  readonly muxing?: readonly string[];
}

/** A recording of numbered pictures of 64 by 48, 12 seconds at ten frames a second unless told otherwise. */
export async function recorded(ground: FootageGround, name: string, recording: Recording = {}): Promise<Buffer> {
  const { width = 64, height = 48, frames = 120, rate = 10, codec = H264, muxing = [], ...rest } = recording;
  return await ground.once(`${name} ${JSON.stringify(recording)}`, async () => {
    const input = await pictures(ground, { width, height, frames, ...rest }, rate);
    return await ground.ffmpeg([...input, ...codec, ...muxing], name);
  });
}

/** The usual recording in a container. */
export async function steady(ground: FootageGround, container: string, args: readonly string[] = []): Promise<Buffer> {
  const mp4 = await recorded(ground, 'steady.mp4');
  if (container === 'mp4' && args.length === 0) return mp4;
  return await ground.once(`steady ${container} ${args.join(' ')}`, () =>
    ground.copied(mp4, 'mp4', `steady.${container}`, args),
  );
}

/** As `steady`, with noise, so that each frame has about the same share of the file. */
export async function noisy(ground: FootageGround, container: string, args: readonly string[] = []): Promise<Buffer> {
  const mp4 = await recorded(ground, 'noisy.mp4', { noise: 24 });
  if (container === 'mp4' && args.length === 0) return mp4;
  return await ground.once(`noisy ${container} ${args.join(' ')}`, () =>
    ground.copied(mp4, 'mp4', `noisy.${container}`, args),
  );
}

/** The usual recording with a tone; each may start later, and the tone lasts as long as it is told. */
export async function withTone(
  ground: FootageGround,
  container: string,
  { toneSeconds, toneDelay = 0, videoDelay = 0, args = [] }: ToneSettings,
): Promise<Buffer> {
  const video = await ground.write('video.mp4', await recorded(ground, 'steady.mp4'));
  const tone = await ground.once(`tone of ${toneSeconds}`, () =>
    ground.ffmpeg(['-f', 'lavfi', '-i', `sine=r=22050:d=${toneSeconds}`, ...TONE], 'tone.m4a'),
  );
  const sound = await ground.write('tone.m4a', tone);
  const inputs = ['-itsoffset', String(videoDelay), '-i', video, '-itsoffset', String(toneDelay), '-i', sound];
  return await ground.ffmpeg([...inputs, '-map', '0:v', '-map', '1:a', '-c', 'copy', ...args], `tone.${container}`);
}

interface ToneSettings {
  readonly toneSeconds: number;
  readonly toneDelay?: number;
  readonly videoDelay?: number;
  readonly args?: readonly string[];
}

/** Pieces that were recorded one after the other, in one file. */
export async function joined(
  ground: FootageGround,
  pieces: readonly Buffer[],
  { from, name, args = [] }: { readonly from: string; readonly name: string; readonly args?: readonly string[] },
): Promise<Buffer> {
  const paths = await Promise.all(pieces.map((piece) => ground.write(`piece.${from}`, piece)));
  const list = await ground.write('pieces.txt', Buffer.from(paths.map((path) => `file '${path}'\n`).join('')));
  return await ground.ffmpeg(['-f', 'concat', '-safe', '0', '-i', list, '-map', '0', '-c', 'copy', ...args], name);
}
