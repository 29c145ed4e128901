/** All scenarios, in the order of the report. A family is a file; its scenarios' names begin with the file's. */

/**
 * @typedef {object} Run How long and how to measure.
 * @property {number} warmUpMs
 * @property {number} measureMs
 * @property {boolean} quick Only to see that everything runs.
 *
 * @typedef {object} Side
 * @property {() => Promise<unknown[]>} [answers] What it answers, to be compared with other sides.
 * @property {(run: Run) => Promise<Record<string, number>>} measure
 * @property {number} [per] Parts of an operation that figures are told for.
 *
 * @typedef {object} Comparison One line of the report. Without a limit it is told and not judged.
 * @property {string} figure
 * @property {string} of A side.
 * @property {string} [minus] A side whose figure is taken off the first one's.
 * @property {string} [to] Another one. Without it the figure is judged by itself.
 * @property {number} [faster] Its figure is at least so many times the first one's.
 * @property {number} [costs] The first one's figure is at most so many times its.
 * @property {number} [below] The first one's figure is less.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} what
 * @property {Record<string, Side | ((host: string) => Side)>} sides
 * @property {readonly Comparison[]} comparisons
 * @property {readonly string[]} [same] Sides whose answers are equal.
 * @property {readonly string[]} [alike] Sides whose answers are equal but for the deliberate differences.
 * @property {object} [server] What the other end serves.
 * @property {boolean} [needsGc]
 * @property {readonly string[]} [skippedWhenQuick] Sides that take long.
 */

const FAMILIES = [
  'on-device',
  'visits',
  'flags',
  'scale',
  'memory',
  'start',
  'server-side',
  'queue',
  'fleet-artifact',
  'fleet-queue',
];

/** @returns {Promise<Scenario[]>} */
export async function allScenarios() {
  const families = await Promise.all(FAMILIES.map((family) => import(`./${family}.mjs`)));
  return families.flatMap(({ scenarios }) => scenarios);
}

/** @returns {Promise<Scenario>} */
export async function scenarioNamed(name) {
  const { scenarios } = await import(`./${name.split('/')[0]}.mjs`);
  return scenarios.find((scenario) => scenario.name === name);
}
