/** Which addresses are proxies whose `X-Forwarded-For` may be believed. */
import proxyAddress from 'proxy-addr';
import { z } from 'zod';

export type TrustsProxy = (address: string) => boolean;

export const trustsNoProxy: TrustsProxy = () => false;

const form =
  'must be IP addresses, ranges such as 10.0.0.0/8, or loopback, linklocal or uniquelocal, separated by commas';

/** A list such as `loopback, 10.0.0.0/8, 2001:db8::1`. */
export const proxies = z
  .string()
  .transform((list, context): TrustsProxy => {
    try {
      const trusts = proxyAddress.compile(list.split(',').map((one) => one.trim()));
      return (address) => trusts(address, 0);
    } catch {
      context.addIssue({ code: 'custom', message: form });
      return z.NEVER;
    }
  })
  .optional();
