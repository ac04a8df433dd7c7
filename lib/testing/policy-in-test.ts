/** The policy of runs in a test: what the processor's module exports, over the defaults of the environment. */
import { loadConfig } from '../config.ts';
import type { ProcessorPolicy } from '../processor.ts';
import { decidePolicy, type RunPolicy } from '../runs/policy.ts';

/** What a consumer without any environment variable does. The environment of the test is not read. */
export const defaultConfig = loadConfig({}, 'consumer');

/** @throws {PolicyError} when the policy is out of range; its message lists every validation error. */
export const policyInTest = (policy: ProcessorPolicy | undefined): RunPolicy => decidePolicy(policy, defaultConfig);
