/**
 * Serverless plugin: one functions block for both worlds. Locally a function is its handler, because serverless-offline
 * passes over functions that have an image; deployed it is the image IMAGE_URI with that handler as its command.
 */
module.exports = class ImageFunctions {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        if (!['package', 'deploy'].includes(serverless.processedInput.commands[0])) return;
        const uri = process.env.IMAGE_URI;
        if (!uri)
          throw new serverless.classes.Error('Set IMAGE_URI to the image to deploy, by its digest: NAME@sha256:…');
        for (const definition of Object.values(serverless.service.functions)) {
          definition.image = { uri, command: [definition.handler] };
          delete definition.handler;
        }
      },
    };
  }
};
