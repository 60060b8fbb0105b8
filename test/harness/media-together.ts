import { makeMedia } from './media.ts';

/** A file that ffmpeg is to make: its inputs, then its options; the file's path comes last. */
export type MediaOrder = readonly string[];

/** Makes files as `makeMedia` does each, in one run of ffmpeg: its start costs more than a small file. */
export async function makeMediaTogether(orders: readonly MediaOrder[]): Promise<void> {
  let inputs = 0;
  const each = orders.map((order) => {
    const first = inputs;
    inputs += order.filter((arg) => arg === '-i').length;
    return behindOthers(order, first);
  });
  await makeMedia(each.flat());
}

/** The order where so many inputs of others come before its own, which it knows by numbers that begin at 0. */
function behindOthers(order: MediaOrder, first: number): string[] {
  const isMap = (i: number): boolean => order[i - 1]?.startsWith('-map') === true;
  const options = order.slice(0, -1).map((arg, i) => (isMap(i) ? renumbered(arg, first) : arg));
  // What ffmpeg does by itself, it does with the first input of all.
  for (const option of ['-map', '-map_metadata']) if (!order.includes(option)) options.push(option, String(first));
  return [...options, ...order.slice(-1)];
}

function renumbered(map: string, first: number): string {
  return map.replace(/^\d+/, (number) => String(Number(number) + first));
}
