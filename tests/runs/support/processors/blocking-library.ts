const until = performance.now() + Number(process.env.TEST_BLOCK_MS ?? 1e9);
while (performance.now() < until);
