/** What of a message's receives decides about its end. */
export interface ReceiveFacts {
  /** How often the queue has handed the message out, this time included. */
  readonly receiveCount: number;
  /** The queue moves it away at the next receive, without a reason: whatever ends now must leave one. */
  readonly isLastReceive: boolean;
  /** What this message found away again and again answers others: it fails by itself, and waiting does not help it. */
  readonly isAlone?: boolean;
}
