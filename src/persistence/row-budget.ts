import { Failure } from '../failure/failure.ts';

/** Throws `Failure('RESULT_TOO_LARGE')` where a result has more rows than may be stored. */
export function checkRowBudget(rows: number, maxRows: number): void {
  if (rows <= maxRows) return;
  throw new Failure(
    'RESULT_TOO_LARGE',
    `the result has ${rows} rows or more, and ${maxRows} may be stored: sample fewer frames (SAMPLE_FPS), ` +
      'cut the video, or raise MAX_RESULT_ROWS',
    { details: { rows, maxRows } },
  );
}
