/**
 * serverless-offline allows every origin, with credentials, and no setting changes that. It looks for the parsed `origin` header; the function
 * gets its headers from the raw ones. Without the parsed one, only the function decides (CORS_ORIGINS).
 */
const { subscribe } = require('node:diagnostics_channel');

module.exports = class OfflineOrigin {
  constructor() {
    this.hooks = {
      'before:offline:start:init': () =>
        subscribe('http.server.request.start', ({ request }) => {
          delete request.headers.origin;
        }),
    };
  }
};
