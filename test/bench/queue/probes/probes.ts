import { deadlineProbe } from './c1-deadline.ts';
import { deletedElsewhereProbe } from './c2-deleted-elsewhere.ts';
import { slowJobProbe } from './c3-slow-job.ts';
import { stopWaitsProbe } from './c4-stop-waits.ts';
import { lateMessageProbe } from './c5-late-message.ts';
import { deleteWhileStoppingProbe } from './c6-delete-while-stopping.ts';
import { stopDeadlineProbe } from './c7-stop-deadline.ts';
import { blockedLoopProbe } from './c8-blocked-loop.ts';
import type { Probe } from './probe.ts';

/** The situations in which consumers of long jobs lose or repeat work. */
export const PROBES: readonly Probe[] = [
  deadlineProbe,
  deletedElsewhereProbe,
  slowJobProbe,
  stopWaitsProbe,
  lateMessageProbe,
  deleteWhileStoppingProbe,
  stopDeadlineProbe,
  blockedLoopProbe,
];
