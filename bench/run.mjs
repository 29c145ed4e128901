/** The benchmark: `npm run bench -- --help`. */
import { deepStrictEqual } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { hasLargeArtifact } from './artifacts.mjs';
import { DELIBERATE_DIFFERENCES, withoutDeliberateDifferences } from './compare.mjs';
import { writeDocument } from './document.mjs';
import { install, runWorker, withServer } from './processes.mjs';
import { linesOf, tableOf } from './report.mjs';
import { allScenarios } from './scenarios/index.mjs';

const HELP = `npm run bench -- [options] [NAME …]

  NAME             scenarios whose name begins so; all without one
  --pairs N        rounds of each scenario, each side once per round, alternately in fresh processes (5)
  --only NAME      the same; may be repeated
  --warm-up S      seconds of work before anything is measured, the same for every side (5)
  --seconds S      seconds that are measured (2)
  --write          puts the table into bench/figures.md
  --quick          one short round: shows that everything runs and that answers agree, says nothing about time
  --list           the names of the scenarios`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true, default: [] },
    'warm-up': { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const quick = values.quick;
const run = quick
  ? { quick, warmUpMs: 20, measureMs: 50 }
  : { quick, warmUpMs: Number(values['warm-up']) * 1000, measureMs: Number(values.seconds) * 1000 };
const pairs = quick ? 1 : Number(values.pairs);

const wanted = [...positionals, ...values.only];
const scenarios = (await allScenarios()).filter(
  ({ name }) => wanted.length === 0 || wanted.some((beginning) => name.startsWith(beginning)),
);
if (scenarios.length === 0) {
  throw new Error('no scenario has such a name: --list tells them');
}
if (!(pairs >= 1 && run.warmUpMs >= 0 && run.measureMs > 0)) {
  throw new Error('--pairs, --warm-up and --seconds are numbers');
}

if (values.help) {
  console.log(HELP);
} else if (values.list) {
  for (const { name, what } of scenarios) {
    console.log(`${name.padEnd(30)} ${what}`);
  }
} else {
  await bench();
}

async function bench() {
  install();
  if (!hasLargeArtifact) {
    console.log(
      '../shared/bench/artifact-large.json is not there: a small synthetic artifact stands in for it.',
    );
  }
  const results = [];
  for (const scenario of scenarios) {
    results.push(await benchScenario(scenario));
  }
  const lines = results.flatMap((result) => result.lines);
  console.log(`\nDeliberate differences to the official SDK, not compared:`);
  for (const { why } of DELIBERATE_DIFFERENCES) {
    console.log(`- ${why}`);
  }
  console.log(
    quick ? '\nEverything ran and the answers agree. The figures mean nothing.' : `\n${tableOf(lines)}`,
  );
  mkdirSync(new URL('results/', import.meta.url), { recursive: true });
  const file = new URL(`results/${quick ? 'quick' : 'latest'}.json`, import.meta.url);
  writeFileSync(file, JSON.stringify({ ...circumstances(), lines, results }, undefined, 1));
  if (values.write && !quick) {
    writeDocument(lines, circumstances());
  }
}

async function benchScenario(scenario) {
  const { name, what, server, comparisons } = scenario;
  const started = performance.now();
  const { answers, rounds } = await withServer(server, (host) =>
    quick ? once(scenario, host) : often(scenario, host),
  );
  compareAnswers(scenario, answers);
  const lines = linesOf({ name, what, comparisons }, rounds);
  console.log(`\n${name}: ${what} (${Math.round((performance.now() - started) / 1000)} s)`);
  if (!quick && lines.length > 0) {
    console.log(tableOf(lines));
  } else if (!quick) {
    console.log(JSON.stringify(rounds));
  }
  return { name, what, rounds, lines };
}

/** Answers and figures from the same processes, two at a time. */
async function once(scenario, host) {
  const sides = sidesOf(scenario);
  const found = {};
  const work = async () => {
    for (let side = sides.shift(); side; side = sides.shift()) {
      const isCompared = comparedSides(scenario).includes(side);
      found[side] = await ask(scenario, {
        side,
        host,
        tasks: isCompared ? ['answers', 'measure'] : ['measure'],
      });
    }
  };
  await Promise.all([work(), work()]);
  return { answers: pick(found, 'answers'), rounds: [pick(found, 'figures')] };
}

/** Answers first; then figures, each side once per round, the rounds forwards and backwards in turn. */
async function often(scenario, host) {
  const answered = {};
  for (const side of comparedSides(scenario)) {
    answered[side] = await ask(scenario, { side, host, tasks: ['answers'] });
  }
  compareAnswers(scenario, pick(answered, 'answers'));
  const rounds = [];
  for (let round = 0; round < pairs; round++) {
    const sides = round % 2 === 0 ? sidesOf(scenario) : sidesOf(scenario).reverse();
    const found = {};
    for (const side of sides) {
      found[side] = await ask(scenario, { side, host, tasks: ['measure'] });
    }
    rounds.push(pick(found, 'figures'));
  }
  return { answers: pick(answered, 'answers'), rounds };
}

function ask({ name, needsGc }, task) {
  return runWorker({ scenario: name, run, ...task }, { needsGc });
}

function sidesOf({ sides, skippedWhenQuick = [] }) {
  return Object.keys(sides).filter((side) => !quick || !skippedWhenQuick.includes(side));
}

function comparedSides({ same = [], alike = [] }) {
  return [...new Set([...same, ...alike])];
}

function pick(found, field) {
  return Object.fromEntries(Object.entries(found).map(([side, parts]) => [side, parts[field]]));
}

function compareAnswers({ name, same = [], alike = [] }, answers) {
  const expectEqual = ([first, ...others], prepare) => {
    for (const other of others) {
      const [wanted, found] = [first, other].map((side) => answers[side].map(prepare));
      try {
        deepStrictEqual(found, wanted);
      } catch (error) {
        console.error(`${name}: the answers of ${other} (+) are not those of ${first} (-)\n${error.message}`);
        process.exit(1);
      }
    }
  };
  expectEqual(same, (answer) => answer);
  expectEqual(alike, withoutDeliberateDifferences);
}

function circumstances() {
  const manifestAt = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
  const { dependencies } = manifestAt('package.json');
  return {
    version: manifestAt('../package.json').version,
    date: new Date().toISOString(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    pairs,
    ...run,
    hasLargeArtifact,
    dependencies,
  };
}
