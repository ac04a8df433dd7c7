/** Reads JSON as text. Parsing would change it, and a request must reach its processor exactly as it was sent. */

/**
 * A string is one token, so that brackets inside it do not count as structure. A string without an end reaches to the end of the
 * text. So a match that starts at a quote never fails; if it could, the search would start again at each later quote of the
 * string, which takes quadratic time.
 */
const tokens = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|[{}[\],:]/g;

/** Far above any honest request, and far below what overflows the stack of `JSON.stringify` (about 4,000). */
export const maxDepth = 500;

const opens = (token: string): boolean => token === '{' || token === '[';
const closes = (token: string): boolean => token === '}' || token === ']';

/** How deep arrays and objects nest. For invalid JSON, at least as deep as a parser would get. */
export const depthOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(tokens)) {
    if (opens(token)) deepest = Math.max(deepest, ++depth);
    else if (closes(token)) depth -= 1;
  }
  return deepest;
};

/**
 * The unchanged text of a member's value in the text of a JSON object: digits of numbers, duplicate keys and the order of keys
 * stay as they are. If the member occurs twice, the last one counts, as in `JSON.parse`. The text must be valid JSON.
 */
export const memberText = (objectText: string, name: string): string | undefined => {
  let depth = 0;
  let key: string | undefined;
  let valueStart: number | undefined;
  let found: string | undefined;
  for (const { 0: token, index } of objectText.matchAll(tokens)) {
    const atTop = depth === 1;
    if (atTop && valueStart !== undefined && (token === ',' || token === '}')) {
      if (key === name) found = objectText.slice(valueStart, index).trim();
      valueStart = undefined;
    } else if (atTop && valueStart === undefined) {
      if (token === ':') valueStart = index + 1;
      else if (token.startsWith('"')) key = JSON.parse(token);
    }
    if (opens(token)) depth += 1;
    else if (closes(token)) depth -= 1;
  }
  return found;
};

/** The unchanged texts of the elements of a JSON array. The text must be valid JSON. */
export const elementTexts = (arrayText: string): string[] => {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of arrayText.matchAll(tokens)) {
    const ends = depth === 1 && (token === ',' || token === ']');
    if (ends) found.push(arrayText.slice(start, index).trim());
    if (ends || depth === 0) start = index + 1;
    if (opens(token)) depth += 1;
    else if (closes(token)) depth -= 1;
  }
  return found.length === 1 && found[0] === '' ? [] : found;
};
