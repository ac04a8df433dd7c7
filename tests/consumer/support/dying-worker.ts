/** A worker that ends at once. */
process.exit(Number(process.env.TEST_EXIT_CODE ?? 1));
