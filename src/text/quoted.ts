import { isLineEndAt } from './characters.ts';
import { ENCODED, type Reading } from './reading.ts';

/** Finds the ends of quoted values; remembers which quotes have none, so that many openings in a row cost one look. */
export class QuoteEnds {
  readonly #reading: Reading;
  readonly #endless = new Set<string>();
  readonly #listed = new Set<number>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /**
   * Where the value ends whose opening quote stands at a place: at the quote of the same kind that no more backslashes stand before, or of
   * a string around it. A quote that is doubled belongs to the value. Null: nowhere.
   */
  closing(opening: number): number | null {
    const { text } = this.#reading;
    const quote = text[opening];
    const isEncoded = this.#reading.kindOf(opening) === ENCODED;
    const depth = this.#reading.depthOf(opening);
    const kind = `${quote}${isEncoded ? 'encoded' : ''}${depth}`;
    if (this.#endless.has(kind)) return null;
    for (let index = opening + 1; index < text.length; index += 1) {
      if (text[index] !== quote || this.#reading.depthOf(index) > depth) continue;
      if ((this.#reading.kindOf(index) === ENCODED) !== isEncoded) continue;
      if (text[index + 1] === quote && this.#reading.depthOf(index + 1) === depth && index > opening + 1) index += 1;
      else return index;
    }
    this.#endless.add(kind);
    return null;
  }

  /** The same within the line, for a quote that opened before the place. */
  closingInLine(opening: number, from: number): number | null {
    const { text } = this.#reading;
    const depth = this.#reading.depthOf(opening);
    for (let index = from; !isLineEndAt(text, index); index += 1) {
      if (text[index] === text[opening] && this.#reading.depthOf(index) <= depth) return index;
    }
    return null;
  }

  /** Whether no list had a value that opens at the place, up to now. */
  isFirstInList(opening: number): boolean {
    const isFirst = !this.#listed.has(opening);
    this.#listed.add(opening);
    return isFirst;
  }
}

/** Where the line ends that a place is in. */
export function lineEnd({ text }: Reading, from: number): number {
  let index = from;
  while (!isLineEndAt(text, index)) index += 1;
  return index;
}
