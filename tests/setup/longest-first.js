/** The order of test files: those that take longest first, so that no worker is left with one of them at the end. */
import Sequencer from '@jest/test-sequencer';

/** In a fresh clone Jest knows no durations and goes by the size of the files, and these are small. */
const longest = [
  'simulation/simulation',
  'chaos/chaos',
  'model/model',
  'tools/start',
  'system/',
  'library/consume',
  'consumer/',
  'lanes/lending',
  'tools/',
  'runs/',
].map((path) => `/tests/${path}`);

const placeOf = ({ path }) => {
  const place = longest.findIndex((one) => path.includes(one));
  return place < 0 ? longest.length : place;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
