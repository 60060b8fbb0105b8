import type { LeaseEvent } from '../queue/lease-keeper.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerEventBus } from './events.ts';

/** Writes what happens to a lease to the log, as loud as it matters, and tells it on. */
export function reportLease(event: LeaseEvent, logger: Logger, events: WorkerEventBus): void {
  const { messageId } = event.lease;
  switch (event.kind) {
    case 'renewed':
      events.emit('lease:renewed', { messageId });
      return;
    case 'renewal-failed':
      logger.warn({ messageId, error: event.error }, 'a lease could not be renewed, trying again');
      return;
    case 'gap':
      logger.warn({ messageId, lateMs: Math.round(event.lateMs) }, 'a renewal came late; the lease is confirmed first');
      events.emit('lease:gap', { messageId, lateMs: event.lateMs });
      return;
    case 'lost':
      logger.error({ messageId, why: event.why }, 'the lease is lost, its job is aborted');
      events.emit('lease:lost', { messageId, why: event.why });
  }
}
