/** A worker that exits at once. */
process.exit(Number(process.env.TEST_EXIT_CODE ?? 1));
