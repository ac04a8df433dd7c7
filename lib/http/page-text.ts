/** A function's answer may have 6 MB; a page ends before. */
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
 * A page of items that are JSON text already, at least one, however large. `next`, what `nextAfter` says of the page's last
 * item, is there when more may follow.
 */
export const pageText = (
  name: string,
  texts: string[],
  limit: number,
  nextAfter: (last: number) => number | string | undefined,
): string => {
  const count = fitting(texts);
  const complete = count === texts.length && count < limit;
  const next = complete ? '' : `,"next":${JSON.stringify(nextAfter(count - 1))}`;
  return `{"${name}":[${texts.slice(0, count).join(',')}]${next}}`;
};
