import type { ShareResult } from '../../tools/explanation.js';
import { type Html, html } from './html.js';

const WIDTH = 96;

/** Shows the wanted ranges of a share from 0 to 100, and where the visitor stands. */
export function ruler({ ranges, allocation, inside, text }: ShareResult): Html {
  const fills = ranges.map(({ from, to }) => {
    const width = ((to - from) * WIDTH) / 100;
    return html`<rect class="fill ${inside ? 'in' : ''}" x="${((from * WIDTH) / 100).toFixed(1)}" y="5" width="${width.toFixed(1)}" height="4" rx="2"/>`;
  });
  const mark = ((allocation * WIDTH) / 100).toFixed(1);
  return html`<svg role="img" aria-label="allocation ${text}" width="${WIDTH}" height="14" viewBox="0 0 ${WIDTH} 14"><rect class="track" y="5" width="${WIDTH}" height="4" rx="2"/>${fills}<rect class="mark" x="${mark}" width="2" height="14"/></svg>`;
}

/** The class of the colour of an experience. */
export function colour(index: number): string {
  return `s${Math.min(index, 5) + 1}`;
}

/** Shows a share as a bar, with a mark where it should end. Both are parts of 1. */
export function shareBar(share: number, expected: number, index: number): Html {
  const [width, mark] = [share, expected].map((part) => (Math.min(1, part) * 100).toFixed(2));
  return html`<svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none"><rect class="track" y="1" width="100" height="8"/><rect class="${colour(index)}" y="1" width="${width}" height="8"/><rect class="mark" x="${mark}" width="0.3" height="10"/></svg>`;
}

const BAR_HEIGHT = 120;

/** Shows the number of visitors by allocation. The dashed line is where even numbers would be. */
export function histogram(bins: readonly (readonly number[])[], label: string): Html {
  const count = Math.max(...bins.map(({ length }) => length));
  const totals = Array.from({ length: count }, (_, at) => bins.reduce((sum, one) => sum + (one[at] ?? 0), 0));
  const all = totals.reduce((sum, total) => sum + total, 0);
  const highest = Math.max(1, ...totals);
  const scale = BAR_HEIGHT / highest;
  const bars = totals.flatMap((_, at) => {
    let top = BAR_HEIGHT;
    return bins.flatMap((one, index) => {
      const height = (one[at] ?? 0) * scale;
      top -= height;
      return height === 0
        ? []
        : [
            html`<rect class="${colour(index)}" x="${at * 20 + 1}" y="${top.toFixed(1)}" width="18" height="${height.toFixed(1)}"/>`,
          ];
    });
  });
  const even = (BAR_HEIGHT - (all / Math.max(1, totals.filter((total) => total > 0).length)) * scale).toFixed(
    1,
  );
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${count * 20} ${BAR_HEIGHT}" preserveAspectRatio="none">${bars}<line class="even" x1="0" x2="${count * 20}" y1="${even}" y2="${even}"/></svg>
<div class="axis" aria-hidden="true"><span>0</span><span>25</span><span>50</span><span>75</span><span>100</span></div>`;
}

/** Shows shares side by side in a small bar. Without shares, the audience alone decides. */
export function smallBar(shares: readonly (number | undefined)[]): Html {
  let left = 0;
  const parts = shares.map((share = 0, index) => {
    const width = share * 32;
    const part = html`<rect class="${colour(index)}" x="${left.toFixed(1)}" width="${width.toFixed(1)}" height="8"/>`;
    left += width;
    return part;
  });
  const isShared = shares.some((share) => share !== undefined);
  return isShared ? html`${parts}` : html`<rect class="fill" width="32" height="8"/>`;
}
