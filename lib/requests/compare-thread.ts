/** What a worker thread does with large requests. */
import { isSameJson } from './same-request.ts';

export const isSame = ({ one, other }: { one: string; other: string }): boolean => isSameJson(one, other);
