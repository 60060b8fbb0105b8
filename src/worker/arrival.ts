import type { ReceiveFacts } from '../failure/receipt.ts';
import type { Lease } from '../queue/lease.ts';
import type { ReceivedMessage } from '../queue/received-message.ts';
import { receiveFacts } from './delivery.ts';
import type { GroupPlace } from './fifo-groups.ts';
import type { HeldMessage } from './settle-message.ts';

/**
 * A message from its receive until nothing of it is held here, be it a job or not. Received again meanwhile it is the same arrival, under
 * the newer receipt.
 */
export class Arrival implements HeldMessage {
  readonly lease: Lease;
  readonly place: GroupPlace | null;
  #message: ReceivedMessage;

  constructor(message: ReceivedMessage, lease: Lease, place: GroupPlace | null) {
    this.#message = message;
    this.lease = lease;
    this.place = place;
    // Its message comes again while its job may still be on its way out: neither it nor its group must wait for that.
    if (place !== null) lease.signal.addEventListener('abort', () => place.leave(false), { once: true });
  }

  get message(): ReceivedMessage {
    return this.#message;
  }

  get facts(): ReceiveFacts {
    return receiveFacts(this.lease.queue, this.#message);
  }

  /** Its count of receives goes on. */
  redelivered(message: ReceivedMessage): void {
    this.#message = message;
  }
}
