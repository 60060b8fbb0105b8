import {
  MAX_FIRST_GAP_MICROS,
  NEAR_FRAMES,
  NEAR_MICROS,
  NEW_LINE_TIMES,
  PACE_PARTS,
  type ClockSettings,
} from './media-clock.ts';

export interface SamplingSettings extends ClockSettings {
  readonly framesPerSecond: number;
}

/** Registers of the expression, of which there are ten: those of `MediaClock`, the last slot that was filled, the time to be looked at. */
const [RAW, TIME, LAST, PACE, OTHER, OTHER_TIME, STATE, SLOT, NOW] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
/** How many times wait, in `OTHER` and `OTHER_TIME`; above `NONE`, how many times there are off the line. */
const [TWO_WAIT, ONE_WAITS, NONE] = [-2, -1, 0];

/**
 * Microseconds, 142 years: as far as a time and a bit beside it fit exactly into one of ffmpeg's numbers. What lies beyond is no time of any
 * footage, and is held to be there.
 */
const FARTHEST_MICROS = 4_490_000_000_000_000;
/** In place of twice a time where a frame has none; even, and farther than any. */
const NO_TIME = 9_000_000_000_000_000;
const OWN_TIME =
  `st(${NOW},round(T*1000000));` +
  `if(gt(ld(${NOW}),${FARTHEST_MICROS}),st(${NOW},${FARTHEST_MICROS}),0);` +
  `if(lt(ld(${NOW}),-${FARTHEST_MICROS}),st(${NOW},-${FARTHEST_MICROS}),0)`;
const NEAR = `max(${NEAR_MICROS},${NEAR_FRAMES}*ld(${PACE}))`;
const GUESS = `st(${LAST},ld(${LAST})+ld(${PACE}))`;
const STEP = `(ld(${NOW})-ld(${RAW}))`;
const OTHER_STEP = `(ld(${NOW})-ld(${OTHER}))`;
const AGREES = `(isnan(ld(${NOW}))+gt(ld(${NOW}),ld(${OTHER})-min(${NEAR},(ld(${OTHER})-ld(${RAW}))/2)))`;

const notFarBehind = (time: string): string =>
  `st(${time},if(lt(ld(${time}),ld(${LAST})-${NEAR}),ld(${LAST})+ld(${PACE}),ld(${time})));st(${LAST},max(ld(${LAST}),ld(${time})))`;

/** `NOW` is on the line, and its step is one to measure the length of a frame by, or is none. */
const goOn = (isUsual: string): string =>
  [
    `if(eq(ld(${LAST}),ld(${TIME}))*${isUsual},st(${PACE},max(1,floor(ld(${PACE})+(min(${STEP},${PACE_PARTS}*ld(${PACE}))-ld(${PACE}))/${PACE_PARTS}+0.5))),0)`,
    `st(${TIME},max(0,ld(${TIME})+${STEP}))`,
    notFarBehind(`${TIME}`),
    `st(${RAW},ld(${NOW}))`,
    `st(${STATE},${NONE})`,
  ].join(';');

/** `NOW` is off the line. */
const TAKE_OTHER =
  `if(lt(ld(${STATE}),1)+gt(abs(${OTHER_STEP}),${NEAR}),` +
  `${GUESS};st(${OTHER},ld(${NOW}));st(${OTHER_TIME},ld(${LAST}));st(${STATE},1),` +
  `if(lte(${OTHER_STEP},0),${GUESS},` +
  `st(${OTHER_TIME},ld(${OTHER_TIME})+${OTHER_STEP});${notFarBehind(`${OTHER_TIME}`)};` +
  `st(${OTHER},ld(${NOW}));st(${STATE},ld(${STATE})+1);` +
  `if(gte(ld(${STATE}),${NEW_LINE_TIMES}),st(${RAW},ld(${OTHER}));st(${TIME},ld(${OTHER_TIME}));st(${STATE},${NONE}),0)))`;

/** Gives `NOW` its time, or lets it wait. */
function takeWith({ maxGapMicros }: SamplingSettings): string {
  return (
    `if(isnan(ld(${NOW})),${GUESS},` +
    `if(lte(abs(${STEP}),${NEAR})*(gt(${STEP},0)+eq(N,0)),${goOn('1')},` +
    `if(lte(abs(${STEP}),${NEAR}),st(${STATE},${NONE});${GUESS},` +
    `if(gt(${STEP},0)*lte(ld(${TIME})+${STEP}-ld(${LAST}),if(eq(N,0),${MAX_FIRST_GAP_MICROS},${maxGapMicros})),` +
    `st(${OTHER},ld(${NOW}));st(${STATE},${ONE_WAITS}),${TAKE_OTHER}))))`
  );
}

/** The descriptor of ffmpeg that the notes on the frames are written to; nothing else is. */
export const NOTES_DESCRIPTOR = 3;

/**
 * The filters of ffmpeg that let through what may be sampled: for k = 0, 1, 2, ... the first frame that lies k / framesPerSecond or more
 * behind the first one on the clock of `MediaClock`, and each frame whose time only the next ones tell. It is that clock once more, in the
 * language of ffmpeg's expressions, since a frame that it drops is never converted nor written.
 *
 * What it says of each decoded frame takes the place of the frame's time (`samplingTimes`), and is printed as a whole number to a descriptor
 * of its own: the log is full of texts of the file, any of which may hold a line feed and look like whatever is expected there. What the file
 * says of a frame would be printed beside it, and is taken away before.
 */
export function samplingFilter(settings: SamplingSettings): string {
  return [
    `setpts='${samplingTimes(settings)}'`,
    'metadata=mode=delete',
    // Of a frame without any words nothing is printed.
    'metadata=mode=add:key=n:value=1',
    // Not gathered: the note on a picture must not come long after it.
    `metadata=mode=print:key=n:direct=1:file='pipe\\:${NOTES_DESCRIPTOR}'`,
    `select='mod(pts,2)'`,
  ].join(',');
}

/** The note that a number of the filter stands for. */
export function noteOf(value: number): { readonly micros: number | null; readonly isThrough: boolean } {
  const isThrough = value % 2 !== 0;
  const twice = isThrough ? value - 1 : value;
  return { micros: twice === NO_TIME ? null : twice / 2, isThrough };
}

/** An expression of each frame: twice its own time in microseconds, and one more when it is let through. */
export function samplingTimes(settings: SamplingSettings): string {
  const { startMicros, frameMicros, framesPerSecond } = settings;
  const take = takeWith(settings);
  const countFromFirst = `if(lt(ld(${SLOT}),0),st(${TIME},ld(${TIME})-ld(${LAST}));st(${LAST},0),0)`;
  const slot = `floor((ld(${LAST})+1)*${framesPerSecond}/1000000)`;
  const fill = `${countFromFirst};st(${SLOT},max(ld(${SLOT}),${slot}))`;
  const isSure = `gte(ld(${STATE}),${NONE})`;
  const begin = [
    `st(${RAW},${startMicros});st(${TIME},0);st(${LAST},-${frameMicros});st(${PACE},${frameMicros})`,
    `st(${OTHER},0);st(${OTHER_TIME},0);st(${STATE},${NONE});st(${SLOT},-1)`,
  ].join(';');
  const believe =
    `st(${NOW},ld(${OTHER}));${goOn(`gt(ld(${OTHER_TIME})-ld(${OTHER}),${NEAR})`)};${fill};` +
    `st(${NOW},ld(${OTHER_TIME}));${take};if(${isSure},${fill},0);${OWN_TIME}`;
  const disbelieve = `st(${STATE},${NONE});${GUESS};${fill}`;
  return [
    `if(eq(N,0),${begin},0)`,
    OWN_TIME,
    `if(eq(ld(${STATE}),${TWO_WAIT}),if(${AGREES},${believe},${disbelieve};${GUESS};${fill}),0)`,
    `if(eq(ld(${STATE}),${ONE_WAITS}),if(${AGREES},st(${OTHER_TIME},ld(${NOW}));st(${STATE},${TWO_WAIT}),${disbelieve}),0)`,
    `if(eq(ld(${STATE}),${TWO_WAIT}),0,${take})`,
    `if(isnan(ld(${NOW})),${NO_TIME},2*ld(${NOW}))+if(${isSure},${countFromFirst};if(gt(${slot},ld(${SLOT})),st(${SLOT},${slot});1,0),1)`,
  ].join(';');
}
