// A card for each pipeline.

const kLevels = {
  spooling: 'warn', retrying: 'warn', 'circuit open': 'bad', held: 'warn', failed: 'bad', paused: 'still', ended: 'still',
  registered: 'still', mounted: 'still', unmounted: 'still', stopped: 'still', scheduled: 'still',
};

const cards = new Map();  // by the pipeline's name

// Plots that nobody sees are not drawn.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const card = cards.get(entry.target.dataset.name);
    if (card === undefined) continue;
    card.seen = entry.isIntersecting;
    if (card.seen) card.draw();
  }
}, { rootMargin: '200px' });

class Card {
  constructor(name) {
    this.root = byId('card').content.firstElementChild.cloneNode(true);
    this.root.dataset.name = name;
    this.history = new History();
    this.seen = false;
    this.find('h3').textContent = name;
    this.root.setAttribute('aria-label', name);
    const tap = this.find('.tap');
    tap.textContent = 'Tap ' + name;
    tap.addEventListener('click', () => startTap(name));
    watcher.observe(this.root);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  show(now, pipeline, types) {
    this.history.add(now, pipeline);
    const rates = this.history.rates;
    this.root.dataset.level = pipeline.refused ? 'warn' : kLevels[pipeline.state] ?? 'good';
    this.words = [pipeline.name, pipeline.state, pipeline.trouble ? 'trouble' : ''].join(' ').toLowerCase();
    const next = pipeline.nextAttemptSeconds;
    write(this.find('.state'),
          pipeline.state + (next === undefined ? '' : (pipeline.schedule && !pipeline.trouble ? ', next run in ' : ', next attempt in ') + duration(next)));
    const why = [pipeline.reason, pipeline.refused && 'runs in its old form: ' + pipeline.refused];
    const reason = this.find('.reason');
    write(reason, why.filter(Boolean).join('; '));
    reason.hidden = reason.textContent === '';
    this.showChain(pipeline, types, rates);
    this.put('inRate', rate(rates && rates.in));
    this.put('outRate', rate(rates && rates.out));
    this.gauge('spool', pipeline.spoolBytes, pipeline.maxSpoolBytes,
               pipeline.spoolFullSeconds === undefined ? '' : ', full in ' + duration(pipeline.spoolFullSeconds));
    this.gauge('memory', pipeline.memoryBytes, pipeline.memoryLimitBytes, '');
    this.showNumbers(pipeline);
    if (this.seen) this.draw();
  }

  put(name, text) {
    write(this.find('[data-show=' + name + ']'), text);
  }

  gauge(name, used, most, more) {
    const meter = this.find('meter.' + name);
    const text = most > 0 ? bytes(used) + ' of ' + bytes(most) + more : used > 0 ? bytes(used) : 'none';
    meter.value = most > 0 ? used / most : 0;
    meter.title = text;
    this.put(name, text);
  }

  showChain(pipeline, types, rates) {
    const stages = pipeline.stages.length > 0 ? pipeline.stages
      : types === undefined ? [] : [types.source, ...types.transforms, types.sink].map((name) => ({ name, failed: 0 }));
    const list = this.find('.chain');
    while (list.children.length > stages.length) list.lastChild.remove();
    stages.forEach((stage, i) => {
      let item = list.children[i];
      if (item === undefined) {
        item = document.createElement('li');
        const box = document.createElement('span');
        box.append(document.createElement('b'), document.createElement('small'));
        item.append(box);
        list.append(item);
      }
      const box = item.firstChild;
      write(box.firstChild, stage.name);
      const took = stage.microsecondsPerRecord;
      const perSecond = rates === null || rates.stages[i] === undefined ? null : rates.stages[i];
      write(box.lastChild, rate(perSecond) + '/s' + (stage.failed > 0 ? ', ' + count(stage.failed) + ' failed' : ''));
      box.classList.toggle('failed', stage.failed > 0);
      box.title = stage.in === undefined ? '' : count(stage.in) + ' in, ' + count(stage.out) + ' out, ' +
        count(stage.filtered) + ' filtered, ' + count(stage.failed) + ' failed' +
        (took === undefined ? '' : ', ' + took.toFixed(2) + ' µs a record') + ', ' + bytes(stage.memoryBytes);
    });
  }

  showNumbers(pipeline) {
    const records = pipeline.records;
    const time = (name, words) => (pipeline[name] === undefined ? [] : [[name, words, duration(pipeline[name])]]);
    const some = (name, words) => (records[name] > 0 ? [[name, words, count(records[name]), 'alarm']] : []);
    const rows = [
      ['read', 'Read', count(records.read)],
      ['delivered', 'Delivered', count(records.delivered)],
      ['filtered', 'Filtered', count(records.filtered)],
      ['waiting', 'Waiting', count(records.waiting)],
      ['deadLetters', 'Dead letters', count(records.deadLetters), records.deadLetters > 0 ? 'alarm' : ''],
      ...some('dropped', 'Dropped'), ...some('spoolDropped', 'Dropped in spool'), ...some('spoolLost', 'Lost in spool'),
      ['retries', 'Retries', count(pipeline.retries)],
      ...time('lastReadSeconds', 'Last record'), ...time('oldestUndeliveredSeconds', 'Oldest waits'),
    ];
    const list = this.find('.numbers');
    while (list.children.length > rows.length) list.lastChild.remove();
    rows.forEach(([name, words, text, level], i) => {
      let row = list.children[i];
      if (row === undefined) {
        row = document.createElement('div');
        row.append(document.createElement('dt'), document.createElement('dd'));
        list.append(row);
      }
      row.className = level ?? '';
      write(row.firstChild, words);
      write(row.lastChild, text);
      row.lastChild.dataset.value = name;
    });
  }

  draw() {
    const most = this.history.most();
    for (const which of ['in', 'out'])
      this.find('.plot .' + which).setAttribute('d', this.history.path(which, most));
    const rates = this.history.rates;
    const span = duration(this.history.span());
    write(this.find('.most'), 'last ' + span + ', at most ' + rate(most) + '/s');
    this.find('.plot').setAttribute('aria-label', 'The last ' + span + ': at most ' + rate(most) +
      ' records a second; now ' + rate(rates && rates.in) + ' read and ' + rate(rates && rates.out) + ' delivered');
  }
}

function showCards(status, types) {
  const list = byId('cards');
  const there = new Set(status.pipelines.map((pipeline) => pipeline.name));
  for (const [name, card] of cards) {
    if (there.has(name)) continue;
    watcher.unobserve(card.root);
    card.root.remove();
    cards.delete(name);
  }
  status.pipelines.forEach((pipeline, i) => {
    let card = cards.get(pipeline.name);
    if (card === undefined) {
      card = new Card(pipeline.name);
      cards.set(pipeline.name, card);
      list.insertBefore(card.root, list.children[i] ?? null);
    }
    card.show(status.uptimeSeconds, pipeline, types.get(pipeline.name));
  });
  chooseCards();
}

// Those whose name or state has what was typed; "trouble" finds all that are in some.
function chooseCards() {
  const wanted = byId('wanted').value.trim().toLowerCase();
  let shown = 0;
  for (const card of cards.values()) {
    const hit = card.words.includes(wanted);
    card.root.hidden = !hit;
    shown += hit ? 1 : 0;
  }
  write(byId('shown-count'), cards.size === 0 ? 'No pipelines.' : wanted === '' ? '' : shown + ' of ' + cards.size);
}
