import type { StageFailure } from '../../analysis/video-analysis.ts';
import type { Prisma } from '../../generated/prisma/client.ts';

/** What an analysis goes without, out of its column. Written by this program from these very types, and only read by it. */
export function storedDegraded(column: Prisma.JsonValue): readonly StageFailure[] {
  return (column ?? []) as unknown as readonly StageFailure[];
}
