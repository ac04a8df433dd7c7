/**
 * Serverless plugin: one functions block for both worlds. Locally a function is its handler, because serverless-offline
 * passes over functions that have an image; deployed it is the image IMAGE_URI with that handler as its command, and has the
 * environment of a deployment.
 */
const imagesMissing = 'Set IMAGE_URI and CONSUMER_IMAGE_URI to the images to deploy, by their digests: NAME@sha256:…';

module.exports = class ImageFunctions {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        if (!['package', 'deploy'].includes(serverless.processedInput.commands[0])) return;
        const { service } = serverless;
        const uri = process.env.IMAGE_URI;
        if (!uri || !process.env.CONSUMER_IMAGE_URI) throw new serverless.classes.Error(imagesMissing);
        Object.assign(service.provider.environment, service.custom.deployedEnvironment);
        for (const definition of Object.values(service.functions)) {
          definition.image = { uri, command: [definition.handler] };
          delete definition.handler;
        }
      },
    };
  }
};
