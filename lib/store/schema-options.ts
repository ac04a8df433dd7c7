/** No implicit work: no buffering while disconnected, no automatic creation of indexes or collections. */
export const schemaOptions = {
  versionKey: false,
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
  minimize: false,
} as const;
