// Shows the state of the fleet, which comes four times a second. Elements are changed and not replaced, so that the
// focus of the keyboard stays where it is.
const byId = (id) => document.getElementById(id);
const COUNTS = ['accepted', 'delivered', 'failed', 'dropped', 'queued', 'handedOver'];
const VERDICTS = {
  exact: 'The numbers add up.',
  moving: 'Counting: impressions are on their way …',
  uncounted: 'The queue is counted again when Redis is back.',
  wrong: 'The numbers do not add up.',
};
const TO_THE_MS = { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 };
/** A time line is this long in ms at least. */
const MIN_LINE_MS = 20;

/** Sets a text, unless it is there already: a change would make screen readers say it again. */
function write(element, text) {
  if (element.textContent !== String(text)) {
    element.textContent = text;
  }
}

/** Adds an element with a text to another one. */
function add(parent, name, text = '', className = '') {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  parent.append(element);
  return element;
}

/** Returns the child of an element with a key. A missing one is made and added. */
function childOf(parent, key, make) {
  let child = [...parent.children].find((one) => one.dataset.key === key);
  if (!child) {
    child = make();
    child.dataset.key = key;
  }
  return child;
}

/** Removes the children of an element whose key is not wanted any more. */
function keep(parent, keys) {
  for (const child of [...parent.children]) {
    if (!keys.includes(child.dataset.key)) {
      child.remove();
    }
  }
}

const toneOf = (release) => `tone-${(release ?? 0) % 6}`;
const shortId = (id) => id.slice(0, 6);

async function press(action) {
  try {
    const { ok } = await fetch(`/${action}`, { method: 'POST' });
    write(byId('connection'), ok ? 'live' : `${action} did not work`);
  } catch {
    write(byId('connection'), 'the fleet does not answer');
  }
}

function addButton(cell, { text, action }) {
  const button = add(cell, 'button', text);
  button.type = 'button';
  button.dataset.action = action;
}

function showLaws({ laws, verdict }) {
  write(byId('verdict'), VERDICTS[verdict]);
  byId('verdict').dataset.verdict = verdict;
  const toSum = (terms) => terms.map(({ label, count }) => `${count} ${label}`).join(' + ');
  for (const { name, left, right, off } of laws) {
    const item = childOf(byId('laws'), name, () => add(byId('laws'), 'li'));
    write(item, `${off === 0 ? '✓' : '…'} ${name}: ${toSum(left)} = ${toSum(right)}`);
  }
}

function addRow(body, { name, isPast }) {
  const row = add(body, 'tr');
  add(row, 'th').scope = 'row';
  add(row, 'td');
  for (const field of COUNTS) {
    add(row, 'td', '', 'number').dataset.field = field;
  }
  const last = add(row, 'td');
  if (!isPast) {
    addButton(last, { text: `Kill ${name}`, action: `kill/${name}` });
  }
  return row;
}

function showWeb(rows) {
  const body = byId('web').tBodies[0];
  const toKey = ({ name, isPast }) => `${name}${isPast ? ' before' : ''}`;
  for (const row of rows) {
    const element = childOf(body, toKey(row), () => addRow(body, row));
    const { name, state, pid, processes, isPast, lost, counts } = row;
    const [head, rules] = element.cells;
    const before = processes === 1 ? 'its predecessor' : `its ${processes} predecessors`;
    write(head, isPast ? `${name}, ${before}` : [name, pid].filter(Boolean).join(' · '));
    element.className = isPast ? 'past' : state;
    showRules(rules, row);
    for (const field of COUNTS) {
      write(element.querySelector(`[data-field=${field}]`), counts[field]);
    }
    if (isPast || state === 'killed') {
      write(element.querySelector('[data-field=queued]'), `${counts.queued} (${lost} lost with it)`);
    }
  }
  keep(body, rows.map(toKey));
}

function showRules(cell, { rules, state, store, isPast }) {
  if (isPast || !rules) {
    write(cell, isPast ? 'ended' : ({ killed: 'killed, comes back in 3 s' }[state] ?? `${state} …`));
    return;
  }
  if (!cell.firstElementChild) {
    cell.textContent = '';
    add(cell, 'span');
    add(cell, 'small');
  }
  const [tag, note] = cell.children;
  tag.className = `tag ${toneOf(rules.release)}`;
  write(tag, `version ${rules.release ?? '?'} · ${shortId(rules.id ?? '–')}`);
  const seconds = ((rules.activatesInMs ?? 0) / 1000).toFixed(1);
  const pending = rules.pendingId ? `then ${shortId(rules.pendingId)}, in ${seconds} s` : '';
  write(note, pending || (store === 'failing' ? 'by itself, without the store' : ''));
}

function showTiles({ held, redis, edge, worker, arrivals }) {
  write(byId('held'), held);
  write(byId('redis-state'), redis ? 'Redis is running' : 'Redis is stopped');
  write(byId('relayed'), worker.relayed.delivered);
  write(byId('worker-state'), `the worker is ${worker.state}`);
  write(byId('distinct'), arrivals.distinct);
  write(byId('edge-state'), edge ? 'the edge is running' : 'the edge is stopped');
  write(byId('doubles'), arrivals.received - arrivals.distinct);
}

function showButtons({ redis, edge, visitors, mode, release }) {
  const toggle = (id, [text, action]) => {
    write(byId(id), text);
    byId(id).dataset.action = action;
  };
  toggle('redis', redis ? ['Stop Redis', 'redis/stop'] : ['Start Redis', 'redis/start']);
  toggle('edge', edge ? ['Stop the edge', 'edge/stop'] : ['Start the edge', 'edge/start']);
  toggle(
    'visitors',
    visitors.isPaused
      ? ['Let the visitors go on', 'visitors/resume']
      : ['Pause the visitors', 'visitors/pause'],
  );
  write(byId('publish'), `Publish version ${release + 1}`);
  for (const input of document.querySelectorAll('input[name=mode]')) {
    input.checked = input.value === mode;
  }
}

function showChanges(changes) {
  const list = byId('changes');
  // The newest one comes last here, and first on the page.
  for (const { id, release, moments, spreadMs } of changes.toReversed()) {
    const item = childOf(list, id, () => {
      const made = add(list, 'li');
      add(made, 'p');
      add(made, 'div', '', `line ${toneOf(release)}`).setAttribute('aria-hidden', 'true');
      list.prepend(made);
      return made;
    });
    const [text, line] = item.children;
    const times = Object.entries(moments).toSorted(([, a], [, b]) => a - b);
    const firstMs = times[0][1];
    const parts = times.map(([name, atMs]) => `${name} +${atMs - firstMs} ms`);
    const moment = new Date(firstMs).toLocaleTimeString(undefined, TO_THE_MS);
    write(text, `Version ${release ?? '?'} at ${moment}: ${parts.join(', ')}. Spread: ${spreadMs} ms.`);
    for (const [name, atMs] of times) {
      const dot = childOf(line, name, () => add(line, 'i'));
      dot.style.left = `${(100 * (atMs - firstMs)) / Math.max(MIN_LINE_MS, spreadMs)}%`;
    }
  }
  keep(
    list,
    changes.map(({ id }) => id),
  );
}

function showVisitors({ all, unanswered }) {
  const sum = (field) => all.reduce((total, one) => total + one[field], 0);
  write(
    byId('flips'),
    `${all.length} visitors ask any process, again and again. Flips back to an older version: ${sum('flips')}. Pages without a decision: ${unanswered}.`,
  );
  const body = byId('seen').tBodies[0];
  for (const { name, seen, changes, flips } of all) {
    const row = childOf(body, name, () => {
      const made = add(body, 'tr');
      add(made, 'th', name).scope = 'row';
      add(made, 'td', '', 'strip');
      add(made, 'td', '', 'number');
      add(made, 'td', '', 'number');
      return made;
    });
    const [, strip, ...numbers] = row.cells;
    while (strip.children.length < seen.length) {
      add(strip, 'b');
    }
    seen.forEach((release, index) => {
      strip.children[index].className = toneOf(release);
      write(strip.children[index], release);
    });
    write(numbers[0], changes);
    write(numbers[1], flips);
  }
}

document.addEventListener('click', ({ target }) => {
  const action = target.closest?.('button')?.dataset.action;
  if (action) {
    void press(action);
  }
});
document.addEventListener('change', ({ target }) => {
  if (target.name === 'mode') {
    void press(`mode/${target.value}`);
  }
});

const events = new EventSource('/events');
events.addEventListener('open', () => write(byId('connection'), 'live'));
events.addEventListener('error', () => write(byId('connection'), 'the fleet has ended'));
events.addEventListener('message', ({ data }) => {
  const state = JSON.parse(data);
  showLaws(state);
  showButtons(state);
  showWeb(state.web);
  showTiles(state);
  showChanges(state.changes);
  showVisitors(state.visitors);
});
