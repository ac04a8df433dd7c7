/** A worker that ends with this will not do better when it is started again (`EX_CONFIG` of sysexits.h). */
export const nonRestartableExitCode = 78;
