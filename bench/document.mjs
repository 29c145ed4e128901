/** Puts the figures of a run into `figures.md`, between two marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tableOf } from './report.mjs';

const FIGURES = new URL('figures.md', import.meta.url);
const MARKED = /(?<=<!-- figures -->\n)[\s\S]*?(?=<!-- \/figures -->)/;

/** Writes the table and what was measured, on what and by what. */
export function writeDocument(lines, { version, date, node, cpu, pairs, command }) {
  const text = readFileSync(FIGURES, 'utf8');
  if (!MARKED.test(text)) {
    throw new Error(`${FIGURES.pathname} has no place for figures`);
  }
  const where = `Node ${node}, ${cpu}, medians of ${pairs} rounds`;
  const about = `Version ${version}, \`${command}\` on ${date.slice(0, 10)}: ${where}.`;
  writeFileSync(
    FIGURES,
    text.replace(MARKED, () => `\n${about}\n\n${tableOf(lines)}\n\n`),
  );
}
