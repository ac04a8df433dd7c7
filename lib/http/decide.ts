import { type Decision, decideAll, decideEach } from '../requests/dead-letters.ts';
import { type Call, json, type Reply } from './call.ts';
import { cursorText } from './dead-letter-json.ts';
import { selectionOf } from './operator-input.ts';

/** Decides about the dead letters that the body names: an answer for each item, or how many of all. */
export const decideSelected = async (call: Call, decide: Decision): Promise<Reply> => {
  const selection = selectionOf(call);
  if (selection.items) return json(200, { results: await decideEach(selection.items, decide, call.deps) });
  const { next, ...counts } = await decideAll(selection, decide, call.deps);
  return json(200, { ...counts, next: next && cursorText(next) });
};
