/** What of a message's receives decides about its end. */
export interface ReceiveFacts {
  /** How often the queue has handed the message out, this time included; what failed under its lease meanwhile counts as well. */
  readonly receiveCount: number;
  /** The queue moves it away at the next receive, without a reason: whatever ends now must leave one. */
  readonly isLastReceive: boolean;
  /** A failure for now is its last one: failures under the lease have used up what the queue would allow. As `isLastReceive` when absent. */
  readonly isLastTry?: boolean;
  /** What this message found away again and again answers others: it fails by itself, and waiting does not help it. */
  readonly isAlone?: boolean;
}
