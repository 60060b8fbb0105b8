/** A fact beside the body of a message, as its sender gave it. */
export interface MessageAttribute {
  /** The sender's name of the type, such as `String`, `Number.int` or `Binary`. */
  readonly type: string;
  readonly value: string | Uint8Array;
}

export interface ReceivedMessage {
  readonly messageId: string;
  /** Names this receive of the message; a later receive has another one. */
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** How often the queue has handed the message out, this time included. */
  readonly receiveCount: number;
  /** Server time in milliseconds since 1970, only for records: never compared with a local clock. */
  readonly firstReceivedAt: number | null;
  /** Ordered queues only. */
  readonly groupId: string | null;
}

/** The attributes that are text, for the parser. */
export function textAttributes(message: ReceivedMessage): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, { value }] of Object.entries(message.attributes)) {
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}
