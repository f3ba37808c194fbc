// Records of one pipeline as they pass.

const kMostLines = 200;
let tapping = null;  // an AbortController while it runs

function offerTaps(status) {
  const select = byId('tap-pipeline');
  const names = status.pipelines.map((pipeline) => pipeline.name);
  if (names.join('\n') !== [...select.options].map((option) => option.value).join('\n')) {
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => new Option(name, name)));
    if (names.includes(chosen)) select.value = chosen;
  }
  offerStages(status);
}

// By number: several may have one name.
function offerStages(status) {
  const chosen = status.pipelines.find((pipeline) => pipeline.name === byId('tap-pipeline').value);
  const stages = (chosen?.stages ?? []).slice(1, -1).map((stage, i) => [String(i + 1), i + 1 + ' ' + stage.name]);
  const offers = [['', 'the last that gives records'], ...stages];
  const select = byId('tap-stage');
  if (offers.join('\n') === [...select.options].map((option) => [option.value, option.text]).join('\n')) return;
  const before = select.value;
  select.replaceChildren(...offers.map(([value, text]) => new Option(text, value)));
  select.value = offers.some(([value]) => value === before) ? before : '';
}

function showLine(text) {
  if (text === '') return;
  const line = JSON.parse(text);
  const item = document.createElement('li');
  if (line.skipped !== undefined) {
    item.textContent = count(line.skipped) + ' passed unseen';
  } else if (line.stage === undefined) {
    item.textContent = line.restarted ? 'Started anew.' : line.ended;
  } else {
    const head = document.createElement('small');
    head.textContent = line.time + ' ' + line.stage + ' ';
    // As it came: the numbers of JavaScript would change long ones.
    const at = text.indexOf('"record":');
    item.append(head, at < 0 ? line.text ?? line.base64 ?? '' : text.slice(at + 9, -1));
  }
  const list = byId('tap-lines');
  list.prepend(item);
  while (list.children.length > kMostLines) list.lastChild.remove();
}

async function readTap(name, parameters, signal) {
  const answer = await ask('/api/v1/pipelines/' + encodeURIComponent(name) + '/tap?' + parameters, signal);
  write(byId('tap-state'), 'Looking at ' + name + '.');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    lines.forEach(showLine);
  }
}

async function runTap() {
  const name = byId('tap-pipeline').value;
  const parameters = new URLSearchParams({ rate: byId('tap-rate').value || '5' });
  if (byId('tap-stage').value !== '') parameters.set('at', byId('tap-stage').value);
  if (byId('tap-where').value.trim() !== '') parameters.set('where', byId('tap-where').value);
  if (byId('tap-dropped').checked) parameters.set('dropped', '1');
  const mine = tapping = new AbortController();
  write(byId('tap-go'), 'Stop');
  byId('tap-lines').replaceChildren();
  write(byId('tap-state'), 'Asking for ' + name + '.');
  let outcome = name + ' has come to an end.';
  try {
    await readTap(name, parameters, mine.signal);
  } catch (error) {
    outcome = mine.signal.aborted ? 'Stopped.'
      : error instanceof Refused ? 'The agent does not show it: ' + error.message : 'The connection is gone.';
  }
  if (tapping !== mine) return;  // another has begun
  tapping = null;
  write(byId('tap-go'), 'Start');
  write(byId('tap-state'), outcome);
}

function stopTap() {
  tapping?.abort();
}

function startTap(name) {
  stopTap();
  byId('tap-pipeline').value = name;
  offerStages(lastStatus);
  byId('tap-stage').value = '';
  byId('tap').scrollIntoView();
  byId('tap-go').focus({ preventScroll: true });
  runTap();
}
