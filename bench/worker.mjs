/** A fresh process: one side of one scenario, once. Writes what it found to the file it is told. */
import { writeFileSync } from 'node:fs';
import { scenarioNamed } from './scenarios/index.mjs';

const { scenario, side: name, host, tasks, run, output } = JSON.parse(process.argv[2]);

const chosen = (await scenarioNamed(scenario)).sides[name];
const side = typeof chosen === 'function' ? chosen(host) : chosen;
const found = {};
if (tasks.includes('answers')) {
  found.answers = await side.answers();
}
if (tasks.includes('measure')) {
  found.figures = perPart(await side.measure(run), side.per ?? 1);
}
writeFileSync(output, JSON.stringify(found));
// Polling, keep-alive connections and the like do not matter any more.
process.exit();

function perPart(figures, parts) {
  if (parts === 1) {
    return figures;
  }
  const { cpuUs, p50Us, p99Us, perSecond, ...rest } = figures;
  return {
    ...rest,
    cpuUs: cpuUs / parts,
    p50Us: p50Us / parts,
    p99Us: p99Us / parts,
    perSecond: perSecond * parts,
  };
}
