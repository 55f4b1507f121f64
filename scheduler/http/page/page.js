'use strict';
// Shows what the server tells, and changes nothing. Whatever users wrote comes
// into the page as text nodes alone.

const POLL_MS = 2000;
const ASK_MS = 10000;
const PAGE_JOBS = 200;
const CURVES = 8;
const TIMELINE_MS = 120000;
const COLORS = ['#2f6fb5', '#c2571a', '#2e8540', '#8e44ad', '#b8860b', '#c0396b', '#13818f', '#7f6a55'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];
const STATES = {
  PENDING: ['waiting', ''], RUNNING: ['running', 'good'], COMPLETED: ['completed', 'good'],
  FAILED: ['failed', 'bad'], CANCELLED: ['cancelled', 'warn'], PAUSED: ['paused', 'warn'],
};

const $ = (id) => document.getElementById(id);

// --- Making elements ---

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== ''));
  return element;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Nothing is touched that stays the same: focus and selection stay with it.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function link(id) { return make('a', {href: '#' + id}, id); }

// --- Numbers for people ---

function digits(value) {
  if (value === undefined) return '';
  const x = Number(value);
  const size = Math.abs(x);
  if (!Number.isFinite(x)) return String(value);
  if (size >= 1e7 || (size < 1e-3 && x !== 0)) return x.toExponential(2);
  return size >= 1e3 ? String(Math.round(x)) : x.toPrecision(4);
}

function bytes(value) {
  let x = Number(value || 0);
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (Math.abs(x) < 1024) return `${x < 10 && unit !== 'B' ? x.toFixed(1) : Math.round(x)} ${unit}`;
    x /= 1024;
  }
  return `${x.toFixed(1)} TiB`;
}

const seconds = (duration) => duration === undefined ? undefined : parseFloat(duration);

function span(s) {
  if (s === undefined || !Number.isFinite(s)) return '';
  if (s < 60) return `${s.toPrecision(2)} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.round(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.round(s % 86400 / 3600)} h`;
}

function clock(time) { return time ? new Date(time).toLocaleString() : ''; }

// A forecast: without its date if that is today.
function about(time) {
  if (!time) return '';
  const date = new Date(time);
  const minute = date.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
  if (date.toDateString() === new Date(now()).toDateString()) return `~${minute}`;
  return `~${date.toLocaleDateString([], {month: 'short', day: 'numeric'})} ${minute}`;
}

const stateOf = (job) => STATES[(job.state || '').replace('JOB_STATE_', '')] || ['', ''];
const hasEnded = (job) => ['completed', 'failed', 'cancelled'].includes(stateOf(job)[0]);
// An account may have no name, or none yet.
const userOf = (job) => job.owner_user === undefined ? 'unknown user'
  : job.owner && job.owner !== String(job.owner_user) ? job.owner : `user ${job.owner_user}`;

function progress(job) {
  const step = Number(job.step || 0);
  const total = Number(job.total_steps || 0);
  return total ? `${Math.floor(100 * step / total)}% (${step} of ${total})` : '';
}

function measured(loss, perplexity, accuracy) {
  if (loss === undefined) return '';
  const more = accuracy !== undefined ? `, ${(100 * Number(accuracy)).toFixed(1)}%`
    : perplexity !== undefined ? `, ppl ${digits(perplexity)}` : '';
  return digits(loss) + more;
}

// --- Asking ---

class Refused extends Error {}

// The server's clock less this one.
let ahead = 0;
const now = () => Date.now() + ahead;

async function ask(path) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ASK_MS);
  try {
    const answer = await fetch('api/v1/' + path, {signal: stop.signal, cache: 'no-store'});
    const date = Date.parse(answer.headers.get('date') || '');
    if (Math.abs(date - now()) > 2000) ahead = date - Date.now();
    const body = await answer.json();
    if (!answer.ok) throw Object.assign(new Refused(body.message || `HTTP ${answer.status}`), {status: answer.status});
    return body;
  } finally {
    clearTimeout(timer);
  }
}

// --- Tables of jobs ---

// Rows by id, in groups; those that stay are changed and not made anew.
class Table {
  constructor(table) {
    this.table = table;
    this.labels = [...table.querySelectorAll('thead th')].map((th) => th.dataset.label || th.textContent);
    this.bodies = new Map();
    this.rows = new Map();
  }

  // groups: [{name, title, rows: [{id, cells: [string | {id} | {text, kind} | {text, why}]}]}]
  show(groups) {
    const seen = new Set();
    const bodies = new Map();
    for (const group of groups) {
      let body = this.bodies.get(group.name);
      if (!body) {
        body = make('tbody');
        if (group.title) {
          body.append(make('tr', {}, make('th', {class: 'user', scope: 'rowgroup', colspan: this.labels.length})));
        }
      }
      bodies.set(group.name, body);
      if (group.title) setText(body.querySelector('th'), group.title);
      const wanted = group.rows.map((row) => { seen.add(row.id); return this.row(row); });
      this.place(body, wanted, group.title ? 1 : 0);
    }
    this.place(this.table, [...bodies.values()], 1);
    this.bodies = bodies;
    for (const id of [...this.rows.keys()]) if (!seen.has(id)) this.rows.delete(id);
  }

  row({id, cells}) {
    let row = this.rows.get(id);
    if (!row) {
      row = make('tr', {}, ...this.labels.map((label) => make('td', {'data-label': label})));
      this.rows.set(id, row);
    }
    cells.forEach((cell, i) => this.fill(row.children[i], cell));
    return row;
  }

  fill(td, cell) {
    if (typeof cell === 'string') return setText(td, cell);
    if (cell.id !== undefined) {
      if (td.textContent !== cell.id) td.replaceChildren(link(cell.id));
    } else if (cell.kind !== undefined) {
      if (td.textContent !== cell.text) td.replaceChildren(make('span', {class: cell.kind}, cell.text));
    } else {
      const text = cell.text + (cell.text && cell.why ? ' \u2014 ' : '');
      if (td.textContent === text + cell.why) return;
      td.replaceChildren(...(text + cell.why ? [make('span', {}, text, make('span', {class: 'why'}, cell.why))] : []));
    }
  }

  // The children of `parent` after the first `keep` become `wanted`.
  place(parent, wanted, keep) {
    const stay = new Set(wanted);
    for (const child of [...parent.children].slice(keep)) if (!stay.has(child)) child.remove();
    wanted.forEach((child, i) => {
      const there = parent.children[keep + i];
      if (there !== child) parent.insertBefore(child, there || null);
    });
  }
}

// --- Curves ---

// Means of about `most` runs of neighbours.
function thin(points, most) {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points;
  const means = [];
  for (let i = 0; i < points.length; i += size) {
    const some = points.slice(i, i + size);
    means.push(some.reduce(([a, b], [x, y]) => [a + x / some.length, b + y / some.length], [0, 0]));
  }
  return means;
}

function pointsOf(detail) {
  return thin((detail.steps || []).map((step) => [Number(step.step || 0) + 1, Number(step.train_loss || 0)])
    .filter(([, y]) => Number.isFinite(y)), 300);
}

const look = (i) => ({stroke: COLORS[i % COLORS.length], 'stroke-dasharray': DASHES[Math.floor(i / COLORS.length) % DASHES.length], fill: 'none', 'stroke-width': '1.8'});

// curves: [{points, id, text}]
function chart(curves) {
  const drawn = curves.filter(({points}) => points.length > 0);
  if (!drawn.length) return [make('p', {class: 'note'}, 'No step has ended yet.')];
  const all = drawn.flatMap(({points}) => points);
  const least = (i) => all.reduce((a, p) => Math.min(a, p[i]), Infinity);
  const most = (i) => all.reduce((a, p) => Math.max(a, p[i]), -Infinity);
  const [x0, x1, y0, y1] = [least(0), most(0), least(1), most(1)];
  const [width, height, left, right, top, bottom] = [Math.max(320, Math.min(1200, document.documentElement.clientWidth - 40)), 260, 52, 12, 12, 24];
  const x = (v) => left + (width - left - right) * (x1 > x0 ? (v - x0) / (x1 - x0) : 0.5);
  const y = (v) => height - bottom - (height - top - bottom) * (y1 > y0 ? (v - y0) / (y1 - y0) : 0.5);
  const svg = draw('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img',
    'aria-label': `Train loss from step ${Math.round(x0)} to ${Math.round(x1)}, between ${digits(y0)} and ${digits(y1)}`});
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const value = y0 + (y1 - y0) * part;
    svg.append(draw('line', {class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value)}),
      draw('text', {x: left - 6, y: y(value) + 4, 'text-anchor': 'end'}, digits(value)));
    if (y1 <= y0) break;
  }
  svg.append(draw('text', {x: left, y: height - 7}, `step ${Math.round(x0)}`),
    draw('text', {x: width - right, y: height - 7, 'text-anchor': 'end'}, `step ${Math.round(x1)}`));
  drawn.forEach(({points, look: style}) => {
    const place = points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`);
    svg.append(points.length > 1 ? draw('polyline', {...style, points: place.join(' ')})
      : draw('circle', {cx: x(points[0][0]), cy: y(points[0][1]), r: 3, fill: style.stroke}));
  });
  if (curves.length === 1) return [svg];
  return [svg, make('ul', {class: 'legend'}, ...curves.map(({id, text, look: style}) =>
    make('li', {}, draw('svg', {viewBox: '0 0 26 8', 'aria-hidden': 'true'}, draw('line', {...style, x1: 0, x2: 26, y1: 4, y2: 4})), link(id), text)))];
}

// A chart is drawn anew only when it would look different.
function showChart(element, curves) {
  const key = JSON.stringify([document.documentElement.clientWidth, curves]);
  if (element.chartKey === key) return;
  if (element.contains(document.activeElement)) return;
  element.chartKey = key;
  element.replaceChildren(...chart(curves));
}

// --- The overview ---

const jobsTable = new Table($('jobs'));
let jobTokens = [''];
let trace = new Map();
let traceUntil = 0;

function laneOf(name, share) {
  const percent = Math.round(100 * share);
  const fill = make('div', {class: 'fill'});
  fill.style.width = `${percent}%`;
  return make('div', {class: 'lane'}, make('span', {}, name), make('div', {class: 'track', 'aria-hidden': 'true'}, fill), make('span', {class: 'num'}, `${percent}%`));
}

function deviceCard(worker) {
  const state = worker.draining ? 'drained' : (worker.state || '').replace('WORKER_STATE_', '').toLowerCase();
  const card = make('article', {class: 'card'},
    make('h3', {}, make('span', {}, worker.device || ''), make('span', {class: state === 'ready' ? 'good' : 'bad'}, state)),
    make('p', {}, worker.task || 'computes nothing'));
  for (const [name, key] of [['computes', 'computing'], ['to device', 'promoting'], ['to host', 'demoting']]) {
    if (worker[key] !== undefined) card.append(laneOf(name, Number(worker[key])));
  }
  const facts = [`memory ${bytes(worker.memory_limit_bytes)}`];
  if (Number(worker.peak_bytes)) facts.push(`peak ${bytes(worker.peak_bytes)}`);
  const gpu = worker.gpu || {};
  if (gpu.power_watts !== undefined) facts.push(`${Math.round(gpu.power_watts)} W`);
  if (gpu.use !== undefined) facts.push(`GPU ${Math.round(100 * gpu.use)}%`);
  if (worker.restarts) facts.push(`started again ${worker.restarts} times`);
  card.append(make('p', {class: 'note'}, facts.join(', ')));
  if (worker.reason) card.append(make('p', {class: 'warn'}, worker.reason));
  if (worker.drain_reason) card.append(make('p', {class: 'warn'}, worker.drain_reason));
  return card;
}

function colorOf(id) {
  return id ? COLORS[Number(id.slice(1)) % COLORS.length] : '#8a8f96';
}

async function showTimeline() {
  // A task may be told of after one that ended later.
  const begin = Math.max(now() - TIMELINE_MS, traceUntil - 10000);
  const answer = await ask(`trace?since_ms=${Math.max(0, Math.floor(begin))}`);
  for (const task of answer.tasks || []) {
    const ended = Date.parse(task.ended);
    traceUntil = Math.max(traceUntil, ended);
    trace.set(`${task.device} ${task.begun}`, {...task, from: Date.parse(task.begun), to: ended});
  }
  const until = Math.max(traceUntil, now());
  for (const [key, task] of trace) if (task.to < until - TIMELINE_MS) trace.delete(key);
  const devices = answer.devices || [];
  const [width, left, row] = [Math.max(320, Math.min(1300, document.documentElement.clientWidth - 40)), 64, 26];
  const height = devices.length * row + 22;
  const x = (time) => left + (width - left - 8) * Math.max(0, (time - until + TIMELINE_MS) / TIMELINE_MS);
  const svg = draw('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Tasks on ${devices.length} devices in the last two minutes`});
  const busy = new Map(devices.map((device) => [device, 0]));
  devices.forEach((device, i) => svg.append(draw('text', {x: 6, y: i * row + 18}, device)));
  for (const task of trace.values()) {
    const i = devices.indexOf(task.device);
    // A PREPARE runs beside the device.
    if (i < 0 || task.kind === 'PREPARE') continue;
    busy.set(task.device, busy.get(task.device) + task.to - Math.max(task.from, until - TIMELINE_MS));
    const rect = draw('rect', {x: x(task.from), y: i * row + 4, height: row - 8, width: Math.max(0.6, x(task.to) - x(task.from)), fill: colorOf(task.job_id)});
    const whose = task.withheld ? `${task.job_id ? `${task.job_id}, ` : ''}another user's, ${task.kind}`
      : `${task.job_id} ${task.kind} shard ${task.shard || 0} step ${task.step || 0}`;
    rect.append(draw('title', {}, `${whose}, ${span((task.to - task.from) / 1000)}`));
    svg.append(rect);
  }
  svg.append(draw('text', {x: left, y: height - 6}, '2 minutes ago'), draw('text', {x: width - 8, y: height - 6, 'text-anchor': 'end'}, 'now'));
  $('timeline').replaceChildren(svg);
  setText($('timeline-note'), devices.map((device) => `${device}: busy ${Math.min(100, Math.round(100 * busy.get(device) / TIMELINE_MS))}%`).join(', '));
}

function jobRow(job) {
  const [state, kind] = stateOf(job);
  // Of what the reader may not read, there is no more to go to.
  const to = (id) => job.withheld ? id || '' : {id: id || ''};
  return {id: job.job_id, cells: [
    to(job.job_id), job.withheld ? `(${userOf(job)}'s)` : job.name || '', to(job.sweep_id), {text: state, kind}, progress(job),
    measured(job.validation_loss !== undefined ? job.validation_loss : job.train_loss, job.validation_perplexity, job.validation_accuracy),
    hasEnded(job) ? '' : about(job.forecast_end),
    {text: (job.parameters || []).join(' '), why: [job.priority ? `priority ${job.priority}` : '', job.reason || ''].filter(Boolean).join(': ')},
  ]};
}

function byUser(jobs) {
  const users = new Map();
  for (const job of jobs) users.set(job.owner_user, [...(users.get(job.owner_user) || []), job]);
  return [...users].map(([number, own]) => {
    const user = userOf(own[0]);
    const counts = new Map();
    for (const job of own) counts.set(stateOf(job)[0], (counts.get(stateOf(job)[0]) || 0) + 1);
    return {name: String(number), title: `${user}: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`, rows: own.map(jobRow)};
  });
}

let nextToken = '';

async function showJobs() {
  let token = jobTokens[jobTokens.length - 1];
  let jobs = [];
  // The server looks at so many at a time, and none of them may be wanted.
  do {
    const answer = await ask(`jobs?page_size=${PAGE_JOBS}&state=${$('which').value}&page_token=${encodeURIComponent(token)}`);
    jobs = answer.jobs || [];
    token = answer.next_page_token || '';
  } while (!jobs.length && token);
  jobsTable.show(byUser(jobs));
  nextToken = token;
  $('newer').disabled = jobTokens.length === 1;
  $('older').disabled = !nextToken;
  $('newer').hidden = $('older').hidden = jobTokens.length === 1 && !nextToken;
  setText($('jobs-note'), jobs.length ? `${jobs.length} on page ${jobTokens.length}${nextToken ? ', more follow' : ''}` : 'none');
}

async function showOverview() {
  const workers = (await ask('workers')).workers || [];
  $('devices').replaceChildren(...workers.map(deviceCard));
  await showJobs();
  await showTimeline();
}

// --- A sweep ---

const boardTable = new Table($('board'));
let boardPage = 0;
let curves = new Map();

async function showSweep(id) {
  const jobs = (await ask(`sweeps/${id}/results`)).jobs || [];
  setText($('sweep-heading'), `Sweep ${id}: ${jobs.length} jobs, ${jobs.filter(hasEnded).length} ended`);
  const pages = Math.max(1, Math.ceil(jobs.length / PAGE_JOBS));
  boardPage = Math.min(boardPage, pages - 1);
  const some = jobs.slice(boardPage * PAGE_JOBS, (boardPage + 1) * PAGE_JOBS);
  $('better').disabled = boardPage === 0;
  $('worse').disabled = boardPage === pages - 1;
  $('better').hidden = $('worse').hidden = pages === 1;
  setText($('board-note'), pages === 1 ? 'best first' : `best first, page ${boardPage + 1} of ${pages}`);
  boardTable.show([{name: id, rows: some.map((job, i) => {
    const [state, kind] = stateOf(job);
    return {id: job.job_id, cells: [
      String(boardPage * PAGE_JOBS + i + 1), {id: job.job_id}, job.name || '', {text: state, kind}, progress(job), hasEnded(job) ? '' : about(job.forecast_end), digits(job.train_loss),
      measured(job.validation_loss, job.validation_perplexity, job.validation_accuracy),
      measured(job.test_loss, job.test_perplexity, job.test_accuracy), (job.parameters || []).join(' ')]};
  })}]);
  // Those on the page that have begun, in an order that stays while places change.
  const shown = some.filter((job) => job.train_loss !== undefined).slice(0, CURVES).sort((a, b) => Number(a.job_id.slice(1)) - Number(b.job_id.slice(1)));
  for (const job of shown) {
    const known = curves.get(job.job_id);
    if (known && known.step === job.step) continue;
    curves.set(job.job_id, {step: job.step, points: pointsOf((await ask(`jobs/${job.job_id}?steps=1000`)).job || {})});
  }
  showChart($('curves'), shown.map((job, i) => ({points: curves.get(job.job_id).points, id: job.job_id, text: (job.parameters || []).join(' ') || job.name || '', look: look(i)})));
}

// --- A job ---

function showCuts(detail) {
  const partition = detail.partition || {};
  const cuts = (partition.cut_points || []).map(Number);
  const layers = partition.layers || [];
  if (!detail.partition) return [make('p', {class: 'note'}, 'Its cut points are not known yet.')];
  const bounds = [0, ...cuts, layers.length];
  if (!layers.length) return [make('p', {}, cuts.length ? `cut before layers ${cuts.join(', ')}` : 'in one piece')];
  return [make('div', {class: 'shards'}, ...bounds.slice(1).map((end, i) => {
    const own = layers.slice(bounds[i], end);
    const size = own.reduce((sum, layer) => sum + Number(layer.parameter_bytes || 0), 0);
    const text = `${i}: layers ${bounds[i]} to ${end - 1}, ${bytes(size)}`;
    const shard = make('div', {title: text}, text);
    shard.style.flexGrow = String(end - bounds[i]);
    return shard;
  })), make('p', {class: 'note'}, `${bounds.length - 1} shards, ${partition.source || ''}`)];
}

function showFacts(detail) {
  const job = detail.status || {};
  const totals = detail.totals || {};
  const spec = detail.spec || {};
  const [state, kind] = stateOf(job);
  const facts = [
    ['State', make('span', {class: kind}, state)], ['Why', job.reason], ['Sweep', job.sweep_id && link(job.sweep_id)], ['User', userOf(job)], ['Project', job.project],
    ['Priority', job.priority ? String(job.priority) : ''],
    ['Parameters', (job.parameters || []).join(' ')], ['Progress', progress(job)], ['Train loss', digits(job.train_loss)],
    ['Validation', measured(job.validation_loss, job.validation_perplexity, job.validation_accuracy)],
    ['Test', measured(job.test_loss, job.test_perplexity, job.test_accuracy)],
    ['Speed', job.tokens_per_second ? `${digits(job.tokens_per_second)} ${job.counts_examples ? 'examples' : 'tokens'} a second on a device` : ''],
    ['Left, were it alone', hasEnded(job) ? '' : span(seconds(job.remaining))],
    ['Starts about', about(job.forecast_start)], ['Ends about', hasEnded(job) ? '' : about(job.forecast_end)],
    ['Submitted', clock(job.submitted_at)], ['Began', clock(job.started_at)], ['Ended', clock(job.ended_at)],
    ['Device time', span(seconds(totals.device))], ['Copied', totals.promoted_bytes ? `${bytes(totals.promoted_bytes)} to devices, ${bytes(totals.demoted_bytes)} back` : ''],
    ['Pool', detail.pool_demand ? bytes(detail.pool_demand.total_bytes) : ''], ['Model', (spec.model || {}).path], ['Output', detail.output_path],
    ['Warnings', (detail.warnings || []).join('; ')],
  ].filter(([, value]) => value);
  $('facts').replaceChildren(...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

function showLog(lines) {
  const log = $('log');
  const key = JSON.stringify(lines);
  if (log.key === key) return;
  log.key = key;
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.replaceChildren(...lines.map((line) => make('div', {class: {W: 'warn', E: 'bad'}[line.severity] || ''},
    `${line.time ? new Date(line.time).toLocaleTimeString() : ''} ${line.source || ''} ${line.text || ''}`)));
  if (!lines.length) log.append(make('div', {class: 'note'}, 'No line is kept.'));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function showJob(id) {
  const detail = (await ask(`jobs/${id}?steps=1000`)).job || {};
  setText($('job-heading'), `Job ${id}: ${(detail.status || {}).name || ''}`);
  if (!$('facts').contains(document.activeElement)) showFacts(detail);
  showChart($('curve'), [{points: pointsOf(detail), id, text: '', look: look(0)}]);
  $('cuts').replaceChildren(...showCuts(detail));
  showLog((await ask(`jobs/${id}/logs?tail=200`)).lines || []);
}

// --- Which view, and when ---

const connection = $('connection');
let lastAnswer = 0;
let turn = 0;
let timer = 0;

function tell(text, bad) {
  connection.classList.toggle('bad', bad);
  setText(connection, text);
}

function place() {
  const id = location.hash.slice(1);
  return /^s[0-9]+$/.test(id) ? ['sweep', id] : /^j[0-9]+$/.test(id) ? ['job', id] : ['overview', ''];
}

async function showServer() {
  const server = await ask('server');
  const maintenance = server.maintenance === undefined ? '' : `, in maintenance${server.maintenance ? `: ${server.maintenance}` : ''}`;
  setText($('server'), `${server.version || ''}${maintenance}, pool ${bytes(server.pool_used_bytes)} used, ${bytes(server.pool_reserved_bytes)} promised, of ${bytes(server.pool_bytes)}`);
}

// One turn at a time: a newer one makes what an older one still waits for void.
async function refresh() {
  clearTimeout(timer);
  const begun = performance.now();
  let pause = POLL_MS;
  const mine = ++turn;
  const [view, id] = place();
  try {
    await showServer();
    if (mine !== turn) return;
    await {overview: showOverview, sweep: showSweep, job: showJob}[view](id);
    if (mine !== turn) return;
    lastAnswer = Date.now();
    const isNew = $(view).hidden;
    for (const name of ['overview', 'sweep', 'job']) $(name).hidden = name !== view;
    if (isNew) $('log').scrollTop = $('log').scrollHeight;
    tell('up to date', false);
    // What takes the server or this page long is asked for less often.
    pause = Math.min(Math.max(POLL_MS, 10 * (performance.now() - begun)), 15 * POLL_MS);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof Refused) {
      tell(`The server says: ${error.message}`, true);
      // Who may not read it is recorded there, and that seldom changes.
      if (error.status === 403 || error.status === 404) pause = 15 * POLL_MS;
    } else {
      tell(lastAnswer ? `The server does not answer. What is shown is of ${new Date(lastAnswer).toLocaleTimeString()}.` : 'The server does not answer.', true);
    }
  }
  if (!document.hidden) timer = setTimeout(refresh, pause);
}

async function go() {
  const [view, id] = place();
  for (const name of ['overview', 'sweep', 'job']) if (name !== view) $(name).hidden = true;
  document.title = id ? `${id} \u2014 Hydra` : 'Hydra';
  curves = new Map();
  boardPage = 0;
  await refresh();
  const heading = $(`${view}-heading`);
  if (heading && !$(view).hidden) heading.focus();
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer);
  else refresh();
});
addEventListener('hashchange', () => {
  // The link to the content is no other view.
  if (location.hash !== '#main') go();
});
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  $('main').focus();
});
$('which').addEventListener('change', () => { jobTokens = ['']; refresh(); });
$('older').addEventListener('click', () => { jobTokens.push(nextToken); refresh(); });
$('newer').addEventListener('click', () => { jobTokens.pop(); refresh(); });
$('better').addEventListener('click', () => { --boardPage; refresh(); });
$('worse').addEventListener('click', () => { ++boardPage; refresh(); });
go();
