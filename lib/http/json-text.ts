/** Looks at JSON as text, for what parsing loses: a request reaches its processor exactly as it was sent. */

/**
 * Strings whole, so that what is in them is not taken for structure. Unrolled, and one that does not end goes to the end of the
 * text: from no quote on can it fail, or every quote of such a string would be tried again, in quadratic time.
 */
const tokens = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|[{}[\],:]/g;

const opens = (token: string): boolean => token === '{' || token === '[';
const closes = (token: string): boolean => token === '}' || token === ']';

/** How deep arrays and objects nest; of text that is not JSON, at least as deep as a parser would get. */
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
 * The text of one member's value in the text of a JSON object, untouched: numbers, duplicates and the order of keys
 * included. Of a member that comes twice the last, like `JSON.parse`. The text must be valid JSON.
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
