// Looks every two seconds, while somebody can see the page.

const kPeriod = 2000;  // milliseconds
const kMostNamed = 10;
let lastStatus = { pipelines: [] };
let types = new Map();  // of /api/v1/pipelines, by name
let timer = 0;
let looking = false;
let lastAnswer = null;

function verdict(text, bad) {
  write(byId('verdict'), text);
  byId('verdict').classList.toggle('bad', bad);
}

function showAgent(status) {
  write(byId('agent'), status.id);
  write(byId('facts'), status.version + ', up ' + duration(status.uptimeSeconds) + ', ' + status.configFile +
    (status.flashLifeSeconds === undefined ? '' : ', flash lasts ' + duration(status.flashLifeSeconds)) +
    (status.stopping ? ', stopping' : ''));
  const all = status.pipelines;
  // By name only: a sink that is tried again and again is not to be read out each time.
  const ill = all.filter((pipeline) => pipeline.trouble).map((pipeline) => pipeline.name);
  verdict(ill.length === 0 ? 'All well.' : ill.length + ' of ' + all.length + ' in trouble: ' +
    ill.slice(0, kMostNamed).join(', ') + (ill.length > kMostNamed ? ' and others.' : '.'), ill.length > 0);
  document.title = (ill.length > 0 ? '(' + ill.length + ') ' : '') + status.id + ' – leat';
}

async function show(status) {
  const older = lastStatus;
  lastStatus = status;
  if (status.configLoaded !== older.configLoaded || status.uptimeSeconds < older.uptimeSeconds) {
    const chains = await askJson('/api/v1/pipelines');
    types = new Map(chains.pipelines.filter((one) => one.source).map((one) => [one.name, one]));
    showConfig();
  }
  // It was started anew: its time, and what it counts, begin again.
  if (status.uptimeSeconds < older.uptimeSeconds) for (const card of cards.values()) card.history = new History();
  showAgent(status);
  showCards(status, types);
  showDeadLetters(status);
  offerTaps(status);
}

function askForToken(wrong) {
  stopTap();
  sessionStorage.removeItem(kTokenName);
  write(byId('token-wrong'), wrong ? 'That is none of its tokens.' : '');
  byId('main').hidden = document.querySelector('nav').hidden = true;
  verdict('', false);
  if (!byId('ask-token').hidden) return;
  byId('ask-token').hidden = false;
  byId('token').focus();
}

async function look() {
  clearTimeout(timer);
  if (looking) return;
  looking = true;
  const had = sessionStorage.getItem(kTokenName) !== null;
  try {
    await show(await askJson('/api/v1/status'));
    lastAnswer = new Date();
    document.body.classList.remove('stale');
    byId('ask-token').hidden = true;
    byId('main').hidden = document.querySelector('nav').hidden = false;
    byId('forget').hidden = !had;
  } catch (error) {
    if (error.status === 401) {
      looking = false;
      return askForToken(had);
    }
    document.body.classList.add('stale');
    verdict(error instanceof Refused ? 'The agent refuses: ' + error.message
      : 'No answer from the agent' + (lastAnswer === null ? '.' : ' since ' + clockTime(lastAnswer) + '.'), true);
  }
  looking = false;
  if (!document.hidden) timer = setTimeout(look, kPeriod);
}

byId('ask-token').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(kTokenName, byId('token').value);
  byId('token').value = '';
  look();
});
byId('forget').addEventListener('click', () => askForToken(false));
byId('wanted').addEventListener('input', chooseCards);
byId('config-details').addEventListener('toggle', showConfig);
byId('tap-pipeline').addEventListener('change', () => offerStages(lastStatus));
byId('tap-form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (tapping === null) runTap();
  else stopTap();
});
document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : look()));
look();
