import { expect, test } from '@jest/globals';
import { ClosingStack } from '../../../src/cli/closing-stack.ts';

const broken = (name: string) => (): never => {
  throw new Error(name);
};

test('what was opened is closed last first, one after the other', async () => {
  const said: string[] = [];
  const stack = new ClosingStack();
  const slow = (name: string) => async (): Promise<void> => {
    said.push(`${name} begins`);
    await Promise.resolve();
    said.push(`${name} ends`);
  };
  expect(stack.add('first', slow('first'))).toBe('first');
  stack.add('second', slow('second'));
  await stack[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  expect(said).toEqual(['second begins', 'second ends', 'first begins', 'first ends']);
});

test('one that cannot be closed keeps no other open, and its error comes out as it is', async () => {
  const closed: string[] = [];
  const stack = new ClosingStack();
  stack.add('first', (name) => closed.push(name));
  stack.add('second', broken('second'));
  stack.add('third', (name) => closed.push(name));
  await expect(stack[Symbol.asyncDispose]()).rejects.toThrow(/^second$/);
  expect(closed).toEqual(['third', 'first']);
});

test('of several errors none is lost, and the first one is the cause', async () => {
  const stack = new ClosingStack();
  stack.add(1, broken('last'));
  stack.add(2, async () => broken('first')());
  const error = await stack[Symbol.asyncDispose]().catch((thrown: unknown) => thrown as AggregateError);
  expect(error).toMatchObject({ errors: [{ message: 'first' }, { message: 'last' }], cause: { message: 'first' } });
});

test('what was handed on is closed by the heir alone', async () => {
  let closings = 0;
  let heir: ClosingStack;
  {
    await using opening = new ClosingStack();
    opening.add(0, () => (closings += 1));
    heir = opening.move();
  }
  expect(closings).toBe(0);
  await heir[Symbol.asyncDispose]();
  expect(closings).toBe(1);
});
