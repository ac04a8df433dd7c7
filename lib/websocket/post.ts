/** Posts frames to the WebSocket connections of API Gateway. */
import type { Config } from '../config.ts';

/** Resolves to whether the connection is still there. */
export type Post = (connectionId: string, frame: string) => Promise<boolean>;

/** In ms. Without them, an address that cannot be reached would hold every event up. */
const timeouts = { connectionTimeout: 2_000, requestTimeout: 5_000 };

/** The SDK is loaded only where there is somebody to post to. */
export const createPost = async (
  endpoint: NonNullable<Config['websocketEndpoint']>,
): Promise<{ post: Post; close(): void }> => {
  const { ApiGatewayManagementApiClient, GoneException, PostToConnectionCommand } = await import(
    '@aws-sdk/client-apigatewaymanagementapi'
  );
  const client = new ApiGatewayManagementApiClient({ endpoint, maxAttempts: 3, requestHandler: timeouts });
  return {
    post: async (connectionId, frame) => {
      try {
        await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(frame) }));
        return true;
      } catch (error) {
        if (error instanceof GoneException) return false;
        throw error;
      }
    },
    close: () => client.destroy(),
  };
};
