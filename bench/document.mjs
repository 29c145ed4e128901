/** Puts the figures of a run into the guide, between two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tableOf } from './report.mjs';

const GUIDE = new URL('../docs/performance.md', import.meta.url);
const MARKED = /(?<=<!-- figures -->\n)[\s\S]*?(?=<!-- \/figures -->)/;

/** Writes the table and what it was measured on and by. */
export function writeDocument(lines, { date, node, cpu, pairs, command }) {
  const text = readFileSync(GUIDE, 'utf8');
  if (!MARKED.test(text)) throw new Error(`${GUIDE.pathname} has no place for figures`);
  const about = `\`${command}\` on ${date.slice(0, 10)}: Node ${node}, ${cpu}, medians of ${pairs} rounds.`;
  writeFileSync(
    GUIDE,
    text.replace(MARKED, () => `\n${about}\n\n${tableOf(lines)}\n\n`),
  );
}
