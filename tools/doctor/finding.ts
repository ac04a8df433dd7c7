/** `warning`: it works, but not as it should in production. `broken`: it does not work. */
type Status = 'ok' | 'warning' | 'broken';

/** `todo` says what to do about it. */
export type Finding = { check: string; status: Status; found: string; todo?: string };

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found });
export const warning = (check: string, found: string, todo: string): Finding => ({
  check,
  status: 'warning',
  found,
  todo,
});
export const broken = (check: string, found: string, todo: string): Finding => ({
  check,
  status: 'broken',
  found,
  todo,
});

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
