export default async (request: unknown) => ({ processed: request });
