/** AWS Lambda allows a reply of 6 MB. A page stays below it. */
export const maxPageChars = 4 * 1_024 * 1_024;

const fitting = (texts: string[]): number => {
  let chars = 0;
  const over = texts.findIndex((text, index) => {
    chars += text.length;
    return index > 0 && chars > maxPageChars;
  });
  return over < 0 ? texts.length : over;
};

/**
 * A page of items that already are JSON text. It holds as many as fit, but at least one, however large. If more items may
 * follow, it has `next`: what `nextAfter` returns for the last item of the page, or `goOnAfter` where all items are on it.
 */
export const pageText = (
  name: string,
  texts: string[],
  limit: number,
  nextAfter: (last: number) => number | string | undefined,
  goOnAfter?: number | string,
): string => {
  const count = fitting(texts);
  const complete = count === texts.length && count < limit;
  const after = complete ? goOnAfter : nextAfter(count - 1);
  const next = after === undefined ? '' : `,"next":${JSON.stringify(after)}`;
  return `{"${name}":[${texts.slice(0, count).join(',')}]${next}}`;
};
