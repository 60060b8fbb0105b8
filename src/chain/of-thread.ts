/** The value of a stage that this thread has. */
export function ofThread<Value>(values: ReadonlyMap<string, Value>, stage: string): Value {
  const value = values.get(stage);
  if (value === undefined) throw new TypeError(`the stage ${stage} is not one of this thread`);
  return value;
}
