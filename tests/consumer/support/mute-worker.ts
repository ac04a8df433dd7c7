/** A worker that lives and never reports. */
setInterval(() => {}, 60_000);
