/** Files that anybody may read, the same for every caller until the next release. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Call, headersOf, type Reply } from './call.ts';

export type StaticFile = {
  contentType: string;
  /** Compressed with gzip, which every browser reads. */
  gzipped: Buffer;
  etag: string;
  headers?: Record<string, string>;
};

export const staticFile = (contentType: string, gzipped: Buffer, headers?: Record<string, string>): StaticFile => ({
  contentType,
  gzipped,
  // Weak: it stands for the compressed and for the plain form.
  etag: `W/"${createHash('sha256').update(gzipped).digest('base64url').slice(0, 22)}"`,
  headers,
});

const isKnown = (etag: string, ifNoneMatch = ''): boolean =>
  ifNoneMatch.split(',').some((one) => ['*', etag].includes(one.trim()));

const acceptsGzip = (acceptEncoding = ''): boolean => /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(acceptEncoding);

const plain = promisify(gunzip);

/** 304 for a caller that has the file already. Caches ask before each use: a new release must not be mixed with an older one. */
export const staticReply = async ({ headers }: Pick<Call, 'headers'>, file: StaticFile): Promise<Reply> => {
  const { contentType, gzipped, etag } = file;
  const fresh = {
    ...headersOf(contentType),
    ...file.headers,
    ...{ 'cache-control': 'no-cache', etag, vary: 'Accept-Encoding' },
  };
  if (isKnown(etag, headers['if-none-match'])) return { statusCode: 304, headers: fresh };
  if (!acceptsGzip(headers['accept-encoding']))
    return { statusCode: 200, headers: fresh, body: (await plain(gzipped)).toString() };
  return {
    statusCode: 200,
    headers: { ...fresh, 'content-encoding': 'gzip' },
    body: gzipped.toString('base64'),
    isBase64Encoded: true,
  };
};
