/** A value of an update of many documents. One that differs between them is looked up by the `_id` of the document. */
export const valueFor = (pairs: [id: string, value: unknown][]): object => {
  const values = pairs.map(([, value]) => value);
  const [first] = values;
  if (values.every((value) => isSame(value, first))) return { $literal: first };
  const ids = pairs.map(([id]) => id);
  return { $arrayElemAt: [{ $literal: values }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] };
};

const isSame = (one: unknown, other: unknown): boolean =>
  one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other;
