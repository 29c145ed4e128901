/** From figures to lines: ratios round by round, their medians and spread, and a table of them. */

/** What figures are called, and how many digits mean something. */
const FIGURES = {
  cpuUs: 'CPU µs',
  perSecond: 'calls/s',
  p50Us: 'p50 µs',
  p99Us: 'p99 µs',
  wallMs: 'wall ms',
  cpuMs: 'CPU ms',
  stallMs: 'stall ms',
  bytes: 'heap bytes',
  unusedBytes: 'heap bytes, unused',
};

/** Of these, more is better. */
const RATES = ['perSecond'];

/**
 * The lines of one scenario.
 * @param {import('./scenarios/index.mjs').Scenario} scenario
 * @param {Record<string, Record<string, number>>[]} rounds Figures by side, one record per round.
 */
export function linesOf({ name, what, comparisons }, rounds) {
  return comparisons
    .filter(({ of, to = of, minus = of }) => rounds[0]?.[of] && rounds[0][to] && rounds[0][minus])
    .map((comparison) => ({ scenario: name, what, ...comparison, ...resultOf(comparison, rounds) }));
}

function resultOf({ figure, of, minus, to, faster, costs, below }, rounds) {
  const oursIn = (round) => round[of][figure] - (minus === undefined ? 0 : round[minus][figure]);
  const ours = spreadOf(rounds.map(oursIn));
  if (to === undefined) {
    return {
      ours,
      wanted: below && `< ${below}`,
      isMet: below === undefined ? undefined : ours.median < below,
    };
  }
  const theirs = spreadOf(rounds.map((round) => round[to][figure]));
  if (costs !== undefined) {
    const ratio = spreadOf(rounds.map((round) => oursIn(round) / round[to][figure]));
    return { ours, theirs, ratio, unit: '× its cost', wanted: `≤ ${costs}`, isMet: ratio.median <= costs };
  }
  const [more, less] = RATES.includes(figure) ? [of, to] : [to, of];
  const ratio = spreadOf(rounds.map((round) => round[more][figure] / round[less][figure]));
  const isMet = faster === undefined ? undefined : ratio.median >= faster;
  return { ours, theirs, ratio, unit: '× as fast', wanted: faster && `≥ ${faster}`, isMet };
}

function spreadOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** A table in Markdown. */
export function tableOf(lines) {
  const head = ['scenario', 'figure', 'of', '', 'against', '', 'ratio (min–max)', 'wanted', ''];
  const rows = lines.map(({ scenario, figure, of, minus, to, ours, theirs, ratio, unit, wanted, isMet }) => [
    scenario,
    FIGURES[figure] ?? figure,
    minus === undefined ? of : `${of} − ${minus}`,
    short(ours.median),
    to ?? '',
    theirs ? short(theirs.median) : '',
    ratio ? `${short(ratio.median)} ${unit} (${short(ratio.min)}–${short(ratio.max)})` : '',
    wanted ?? '',
    isMet === undefined ? '' : isMet ? 'met' : 'short',
  ]);
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Three digits that mean something. */
function short(value) {
  if (!Number.isFinite(value)) {
    return '–';
  }
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en').replaceAll(',', ' ')
    : `${Number(value.toPrecision(3))}`;
}
