/**
 * The status page: asks the node that serves it every second and shows the answer.
 *
 * Everything that comes from the node goes into text nodes, never into markup. What
 * is shown says how old it is: a node that does not answer is told apart from one
 * that is well.
 */

const REFRESH_MS = 1000;
const ANSWER_MS_MAX = 3000;
const TICK_MS = 250;
const HISTORY_SHOWN_MAX = 30;
/** Writes that are on their way lag behind for a moment. */
const LAG_SECONDS_USUAL = 2;

/** The newest answer, when it came (page clock), and why the last attempt failed. */
const seen = { facts: undefined, atMs: 0, failure: undefined };
/** What each part of the page shows, so that text which stays can be selected. */
const shown = new Map();

async function get(path) {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch(path, { cache: 'no-store', signal });
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return await response.json();
}

async function ask() {
  try {
    const [status, cluster, history] = await Promise.all(['status', 'cluster', 'history'].map(get));
    seen.facts = { status, cluster, history };
    seen.atMs = performance.now();
    seen.failure = undefined;
  } catch (error) {
    seen.failure = error.name === 'TimeoutError' ? 'no answer in time' : String(error.message);
  }
}

/** Keeps a number and its unit on one line. */
const SPACE = '\u00a0';
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const number = new Intl.NumberFormat('en');

function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}${SPACE}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)}${SPACE}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}${SPACE}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}${SPACE}h ${minutes % 60}${SPACE}min`;
  return `${Math.floor(hours / 24)}${SPACE}d ${hours % 24}${SPACE}h`;
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${SPACE}${units[power]}`;
}

const several = (count, one, many = `${one}s`) =>
  `${number.format(count)} ${count === 1 ? one : many}`;

function element(tag, classes, ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  // Strings become text nodes.
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const badge = (text, tone) => element('span', `badge ${tone}`, text);

function time(moment) {
  const made = element('time', '', calendar.format(moment));
  made.dateTime = moment.toISOString();
  return made;
}

/** A list of terms; each row is a term, its value, and a tone if it is worth one. */
function terms(rows) {
  const list = element('dl', '');
  for (const [term, value, tone] of rows) {
    if (value === null || value === undefined || value === '') continue;
    list.append(element('div', '', element('dt', '', term), element('dd', tone ?? '', value)));
  }
  return list;
}

function card(tag, title, badges, ...children) {
  return element(tag, 'card', element('h3', '', title, ' ', ...badges), ...children);
}

/** Builds a part anew when what it shows has changed. */
function show(id, model, build) {
  const text = JSON.stringify(model);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  document.getElementById(id).replaceChildren(...build(model));
}

function verdict({ status, cluster, history }) {
  const { primary, leader } = cluster;
  document.getElementById('verdict').classList.toggle('bad', primary === null);
  // Apart from what changes every second, so that it is read out once.
  show('headline', primary, () =>
    primary === null ? ['No primary'] : [element('strong', '', primary), ' is primary'],
  );
  if (primary === null) {
    const { waitsFor } = status.tenure;
    const lead = leader === null ? 'No node leads.' : `${leader} leads.`;
    show('since', [lead, waitsFor], () => [
      waitsFor === null ? lead : `${lead} This node waits for: ${waitsFor}.`,
    ]);
    return;
  }
  const began = byAge(history).find(({ to, from }) => to === primary && from !== to);
  const length = began && duration(Date.now() - Date.parse(began.at));
  show('since', [began?.at, length, status.tenure.epoch], () => [
    ...(began ? ['for ', length, ', since ', time(new Date(began.at)), ' · '] : []),
    `epoch ${status.tenure.epoch}`,
  ]);
}

function notices({ status }) {
  const { salvage, warnings, paused, journal, replication } = status;
  const model = [
    ...(salvage.count > 0
      ? [
          {
            text: `${several(salvage.count, 'file')} in salvage, kept aside because the cluster went on without them`,
            link: 'v1/salvage',
          },
        ]
      : []),
    ...(paused ? [{ text: 'Automatic failover is paused' }] : []),
    ...(journal.damage === null ? [] : [{ text: `Journal damaged: ${journal.damage}` }]),
    ...(journal.hasSpace ? [] : [{ text: 'No space is left for the journal' }]),
    ...(replication.problem === null ? [] : [{ text: `Replication: ${replication.problem}` }]),
    ...warnings.map((text) => ({ text })),
  ];
  show('notices', model, (list) =>
    list.map(({ text, link }) => {
      const item = element('li', 'notice warn', text);
      if (link !== undefined) {
        const anchor = element('a', '', 'show them');
        anchor.href = link;
        item.append(' · ', anchor);
      }
      return item;
    }),
  );
}

function lagText({ entries, bytes: lagging, seconds }) {
  if (entries === 0) return 'none';
  return `${several(entries, 'entry', 'entries')}, ${bytes(lagging)}, ${duration(seconds * 1000)}`;
}

function members({ status, cluster }) {
  const model = cluster.members.map((member) => {
    const peer = status.peers.find(({ id }) => id === member.id);
    const problem = peer?.isConnected === false ? (peer.problem ?? 'not connected') : undefined;
    return { ...member, problem, ageMs: undefined, age: member.isSelf ? '' : ageOf(member.ageMs) };
  });
  show('members', model, (list) => list.map(memberCard));
}

function memberCard(member) {
  const { role, priority, lag, eligible, reason, problem } = member;
  const badges = [
    member.isPrimary && badge('primary', 'good'),
    member.isLeader && badge('leads', 'plain'),
    member.isSelf && badge('this node', 'plain'),
    problem && badge('not connected', 'bad'),
  ].filter(Boolean);
  const mayServe = eligible ? ['yes', 'good'] : [`no: ${reason ?? 'it is not said why'}`, 'warn'];
  return card(
    'li',
    member.id,
    badges,
    terms([
      ['address', member.address],
      ['site', member.site],
      ['role', `${role}, priority ${priority}`],
      ['lag', lagText(lag), lag.seconds < LAG_SECONDS_USUAL ? '' : 'warn'],
      ['can be primary', ...mayServe],
      ['connection', problem, 'bad'],
      ['last heard of', member.age],
    ]),
  );
}

function ageOf(ageMs) {
  if (ageMs === null) return 'never';
  return ageMs < 1000 ? 'just now' : `${duration(ageMs)} ago`;
}

function here({ status }) {
  const { tenure, service, address, raft, replication, journal } = status;
  const probes = service.probes.map(({ name, verdict: said, text, atMs }) => {
    const age = atMs === null ? 'never' : ageOf(Math.max(0, Date.now() - atMs));
    return { name, said, text, age };
  });
  const model = { role: status.role, tenure: { ...tenure, expiresInMs: 0 }, raft, replication };
  show('here', { ...model, journal, service: { ...service, probes }, address }, () => [
    tenureCard(status.role, tenure),
    serviceCard(service, probes, address),
    card(
      'div',
      'Journal and replication',
      [],
      terms([
        ['raft', `${raft.state}, term ${number.format(raft.term)}`],
        ['leader', raft.leader ?? 'none'],
        ['committed', number.format(raft.commitIndex)],
        ['applied', number.format(raft.appliedIndex)],
        ['journal', `${bytes(journal.bytes)} of at most ${bytes(journal.maxSizeBytes)}`],
        ['replication', replication.mode],
        ['fetched', replication.fetchedBytes > 0 ? bytes(replication.fetchedBytes) : ''],
        ['event overflows', replication.overflows > 0 ? `${replication.overflows}` : '', 'warn'],
      ]),
    ),
  ]);
}

function tenureCard(role, tenure) {
  const tone = role === 'primary' ? 'good' : role === 'stopped' ? 'bad' : 'plain';
  const left = element('span', '');
  left.id = 'tenure-left';
  return card(
    'div',
    'Tenure',
    [badge(role, tone)],
    terms([
      ['valid', tenure.valid ? 'yes' : 'no', tenure.valid ? 'good' : ''],
      ['time left', tenure.valid ? left : ''],
      ['epoch', number.format(tenure.epoch)],
      ['phase', tenure.phase],
      ['waits for', tenure.waitsFor, 'warn'],
      ['protection', tenure.protection],
    ]),
  );
}

function serviceCard(service, probes, addresses) {
  const tones = { passing: 'good', failing: 'bad', unknown: 'plain' };
  const list = element('ul', 'probes');
  for (const { name, said, text, age } of probes) {
    const line = element('p', 'quiet', text === '' ? age : `${text} · ${age}`);
    list.append(element('li', '', name, ' ', badge(said, tones[said] ?? 'plain'), line));
  }
  return card(
    'div',
    'Service and address',
    [badge(service.state, service.state === 'running' ? 'good' : 'plain')],
    terms([
      ['process', service.pid === null ? '' : `${service.pid}`],
      ['crashes', `${service.crashes}`, service.crashes > 0 ? 'warn' : ''],
      ...addresses.map(({ address, held }) => [
        'address',
        element(
          'span',
          '',
          address,
          ' ',
          badge(held ? 'held here' : 'not here', held ? 'good' : 'plain'),
        ),
      ]),
    ]),
    probes.length > 0 ? list : undefined,
  );
}

function volumes({ status }) {
  show('volumes', status.volumes, (list) =>
    list.map((volume) => {
      const hash = element('code', '', volume.treeHash);
      const checked =
        volume.checkedAt === null ? 'never' : calendar.format(new Date(volume.checkedAt));
      const badges = [];
      if (volume.dirty > 0) badges.push(badge(`${number.format(volume.dirty)} dirty`, 'warn'));
      if (volume.missing > 0) badges.push(badge(`${number.format(volume.missing)} missing`, 'bad'));
      return card(
        'li',
        volume.name,
        badges.length > 0 ? badges : [badge('clean', 'good')],
        terms([
          ['path', volume.path],
          ['content', `${several(volume.files, 'file')}, ${bytes(volume.bytes)}`],
          ['dirty', `${several(volume.dirty, 'path')} changed, not yet committed`],
          ['missing', `${several(volume.missing, 'path')} committed, not yet here`],
          ['tree hash', hash],
          ['at index', number.format(volume.treeHashIndex)],
          ['read back', `${several(volume.checkedFiles, 'file')}, ${checked}`],
        ]),
      );
    }),
  );
}

const byAge = (history) => [...history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));

function history(facts) {
  const model = byAge(facts.history).slice(0, HISTORY_SHOWN_MAX);
  show('history', model, (list) => {
    if (list.length === 0) return [element('li', 'quiet', 'nothing happened yet')];
    return list.map(({ at, event, from, to, cause, epoch, phases }) => {
      const who = from === to || from === '' ? to : `${from} → ${to}`;
      const about = [time(new Date(at)), ` · epoch ${epoch}`, cause === '' ? '' : ` · ${cause}`];
      return element(
        'li',
        'card',
        element('p', 'event', element('strong', '', event), ' ', who),
        element('p', 'quiet', ...about),
        ...(phases.length > 0 ? phaseParts(phases) : []),
      );
    });
  });
}

function phaseParts(phases) {
  const total = phases.reduce((sum, { ms }) => sum + ms, 0);
  const bar = element('div', 'bar');
  bar.ariaHidden = 'true';
  for (const { ms } of phases) {
    const part = element('span', '');
    part.style.flexGrow = String(ms);
    bar.append(part);
  }
  const names = phases.map(({ name, ms }) => `${name} ${duration(ms)}`).join(' · ');
  return [bar, element('p', '', `${names} — ${duration(total)} in all`)];
}

function setText(id, text) {
  const found = document.getElementById(id);
  if (found !== null && found.textContent !== text) found.textContent = text;
}

/** What changes with time alone: how old the facts are, how long the tenure lasts. */
function tick() {
  const { facts, atMs, failure } = seen;
  const ageMs = performance.now() - atMs;
  const unreachable = document.getElementById('unreachable');
  unreachable.hidden = failure === undefined;
  document.body.classList.toggle('stale', failure !== undefined);
  if (facts === undefined) {
    setText('freshness', 'asking the node …');
    if (failure !== undefined) setText('unreachable', `This node can not be reached: ${failure}.`);
    return;
  }
  const since = clock.format(Date.now() - ageMs);
  const isOld = failure !== undefined;
  setText('freshness', isOld ? `as of ${since}, ${duration(ageMs)} ago` : `as of ${since}`);
  // Its text stays the same, so that it is read out once.
  if (isOld) {
    setText(
      'unreachable',
      `This node can not be reached: ${failure}. All below is stale since ${since}.`,
    );
  }
  const leftMs = facts.status.tenure.expiresInMs - ageMs;
  setText(
    'tenure-left',
    leftMs > 0 ? `${(leftMs / 1000).toFixed(1)} s unless renewed` : 'over, as far as known',
  );
}

function draw() {
  const { facts } = seen;
  if (facts !== undefined) {
    const { node, cluster, version, role } = facts.status;
    document.getElementById('facts').hidden = false;
    document.title = `${node}: ${seen.failure === undefined ? role : 'stale'} · mailraft`;
    setText('cluster', cluster);
    setText('node', `node ${node} · version ${version}`);
    for (const part of [verdict, notices, members, here, volumes, history]) part(facts);
  }
  tick();
}

async function refresh() {
  // Nobody looks: the node has better things to do.
  if (!document.hidden) {
    await ask();
    try {
      draw();
    } catch (error) {
      // What can not be shown must not leave the old facts standing as if they were of now.
      seen.failure = `its answer can not be shown, ${error.message}`;
      tick();
    }
  }
  setTimeout(refresh, REFRESH_MS);
}

setInterval(tick, TICK_MS);
await refresh();
