/** An update of many documents has one text. What differs between them is looked up in it, by the `_id` of each. */
export const valueFor = (ids: unknown[], values: unknown[]): object => {
  const [first] = values;
  if (values.every((value) => isSame(value, first))) return { $literal: first };
  return { $arrayElemAt: [{ $literal: values }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] };
};

const isSame = (one: unknown, other: unknown): boolean =>
  one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other;
