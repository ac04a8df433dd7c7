import type { Decision } from '../requests/dead-letters.ts';
import { decideAll, decideEach } from '../requests/decide-many.ts';
import { type Call, jsonReply, type Reply } from './call.ts';
import { decisionCursorText } from './dead-letter-json.ts';
import { selectionOf } from './operator-input.ts';

/** Decides the dead letters that the call selects. The reply has a result for each listed item, or counts for the others. */
export const decideSelected = async (call: Call, decide: Decision): Promise<Reply> => {
  const selection = selectionOf(call);
  if (selection.items) return jsonReply(200, { results: await decideEach(selection.items, decide, call.deps) });
  const { next, ...counts } = await decideAll(selection, decide, call.deps);
  return jsonReply(200, { ...counts, next: next && decisionCursorText(next) });
};
