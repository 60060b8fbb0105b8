import { bounded, headOf } from './bounded.ts';
import { scrub } from './scrub.ts';

/** UTF-16 units of one field from outside: enough to recognise what it is. */
export const FIELD_LENGTH = 300;

/** How much more is read than is shown, so that a secret which the cut falls into is seen whole. */
const READ_BEYOND = 4_096;
/** Longer than any secret that is known by its form alone: the beginning of one may stand at the end of what was read. */
const LONGEST_FORM = 256;

/**
 * A field from outside as it may be told: scrubbed, and at most `most` UTF-16 units of it with a note of its length. The cost does not
 * grow with the text. What was masked is masked as a whole, so that the cut shows no half of it.
 */
export function outsideText(text: string, most: number = FIELD_LENGTH): string {
  const { clean, isWhole } = scrubbedStart(text, most);
  return isWhole ? bounded(clean, most) : bounded(clean, most, text.length);
}

/** The same without the note: at most `most` UTF-16 units. */
export function outsideHead(text: string, most: number): string {
  return headOf(scrubbedStart(text, most).clean, most);
}

function scrubbedStart(text: string, most: number): { readonly clean: string; readonly isWhole: boolean } {
  const window = headOf(text, most + READ_BEYOND);
  const clean = scrub(window);
  if (window.length === text.length) return { clean, isWhole: true };
  // Masks are shorter than what they stand for: the end of what was read may have come near.
  return { clean: headOf(clean, Math.max(0, clean.length - LONGEST_FORM)), isWhole: false };
}
