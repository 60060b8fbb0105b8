/**
 * The shortest input found in which `isSame` still holds, by leaving out ever smaller pieces and then making bytes plain. Looks at no more than
 * `tries` inputs.
 */
export function minimise(input: Buffer, isSame: (smaller: Buffer) => boolean, tries: number): Buffer {
  let best = input;
  let left = tries;
  const mayTry = (): boolean => left > 0;
  const takes = (candidate: Buffer): boolean => {
    if (!mayTry()) return false;
    left -= 1;
    if (!isSame(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(input.length / 2); size >= 1 && mayTry(); size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && mayTry();) {
      // What was left out makes room: the next piece now begins at the same place.
      if (!takes(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]))) at += size;
    }
  }
  for (let at = 0; at < best.length && mayTry(); at++) {
    if (best[at] === PLAIN) continue;
    const plain = Buffer.from(best);
    plain[at] = PLAIN;
    takes(plain);
  }
  return best;
}

/** The letter a. */
const PLAIN = 0x61;
