export type Upload = { bytes: number; refuse(): void };

/**
 * What all bodies that are not complete, or wait for their turn, may hold together. When there is no room for more, those that have taken
 * longest are refused: whoever never finishes a body must not keep out those who send theirs at once.
 */
export class UploadRoom {
  readonly #maxBytes: number;
  /** In the order in which they began. */
  readonly #uploads = new Set<Upload>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  begin(refuse: () => void): Upload {
    const upload = { bytes: 0, refuse };
    this.#uploads.add(upload);
    return upload;
  }

  /** It holds more. That may refuse it, or others that hold something. */
  grow(upload: Upload, bytes: number): void {
    upload.bytes += bytes;
    this.#total += bytes;
    for (const oldest of this.#uploads) {
      if (this.#total <= this.#maxBytes) break;
      if (oldest.bytes === 0) continue;
      this.end(oldest);
      oldest.refuse();
    }
  }

  end(upload: Upload): void {
    if (this.#uploads.delete(upload)) this.#total -= upload.bytes;
  }
}
