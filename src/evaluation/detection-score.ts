import { averagePrecision, type RankedDetection } from './average-precision.ts';
import type { FoundBox, FrameMatch } from './match-frame.ts';
import { rounded, share } from './share.ts';

/** What was found of one class. Shares are 0..1 with four decimals; null where nothing could be compared. */
export interface DetectionScore {
  readonly expected: number;
  readonly found: number;
  readonly missed: number;
  readonly spurious: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly ap50: number | null;
}

/** Counts the matches of all frames; who is hidden counts neither as found nor as missed. */
export function detectionScore(matches: readonly FrameMatch<FoundBox>[]): DetectionScore {
  const visible = matches.flatMap(({ found }) => found.filter(({ known }) => known.isVisible));
  const missed = matches.reduce((sum, match) => sum + match.missed.length, 0);
  const wrong = matches.flatMap(({ spurious }) => spurious);
  // A second box on a person is the detector's, but no claim that somebody is there: it has no track.
  const spurious = wrong.filter(({ track }) => track !== null);
  const expected = visible.length + missed;
  const ranked: RankedDetection[] = [
    ...visible.map(({ detection }) => ({ score: detection.score, correct: true })),
    ...wrong.map(({ score }) => ({ score, correct: false })),
  ];
  return {
    expected,
    found: visible.length,
    missed,
    spurious: spurious.length,
    precision: share(visible.length, visible.length + spurious.length),
    recall: share(visible.length, expected),
    ap50: rounded(averagePrecision(ranked, expected)),
  };
}
