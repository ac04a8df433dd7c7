/** Tokens whose signature was found to be good. Whether a session is still live is checked in each call, and not here. */
import type { Identity } from './tokens.ts';

/** About 5 MB. Above it the token that was not used for longest is forgotten, and verified again when it comes. */
const maxTokens = 10_000;

/** `exp` in seconds since the epoch. */
export type VerifiedToken = Identity & { exp: number };

export class VerifiedTokens {
  /** In the order of their last use. */
  readonly #tokens = new Map<string, VerifiedToken>();

  /** @param nowSeconds a token that has expired is not found. */
  find(token: string, nowSeconds: number): VerifiedToken | undefined {
    const found = this.#tokens.get(token);
    if (!found) return undefined;
    this.#tokens.delete(token);
    if (nowSeconds >= found.exp) return undefined;
    this.#tokens.set(token, found);
    return found;
  }

  add(token: string, verified: VerifiedToken): void {
    this.#tokens.set(token, verified);
    if (this.#tokens.size <= maxTokens) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      break;
    }
  }
}
