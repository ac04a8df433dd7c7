/** A processor that never loads: its event loop turns, but nothing comes. */
setInterval(() => {}, 1_000);
await new Promise(() => {});

export default (request: unknown) => request;
