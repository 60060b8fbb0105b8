import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { MessageAttribute } from '../received-message.ts';

export type SqsAttributes = Readonly<Record<string, MessageAttributeValue>>;

/** SQS's attributes as the port has them, without loss: those of a message and of its copy are the same. */
export function attributesOf(values: SqsAttributes): Readonly<Record<string, MessageAttribute>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { type: DataType ?? 'String', value: BinaryValue ?? StringValue ?? '' },
    ]),
  );
}

export function toSqsAttributes(
  attributes: Readonly<Record<string, MessageAttribute>>,
): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { type, value }]) => [
      name,
      { DataType: type, ...(typeof value === 'string' ? { StringValue: value } : { BinaryValue: value }) },
    ]),
  );
}
