// Dead letters of all pipelines, and the configuration.

let deadShown = '';

function showDeadLetters(status) {
  const rows = status.pipelines.flatMap((pipeline) =>
    pipeline.deadLetterReasons.map((one) => [pipeline.name, one.stage ?? '', one.code ?? '', one.reason ?? '', one.count]));
  rows.sort((a, b) => b[4] - a[4]);
  const now = JSON.stringify(rows);
  if (now === deadShown) return;
  deadShown = now;
  byId('dead-none').hidden = rows.length > 0;
  byId('dead-rows').closest('.scrolls').hidden = rows.length === 0;
  byId('dead-rows').replaceChildren(...rows.map((row) => {
    const line = document.createElement('tr');
    row.forEach((value, i) => {
      const cell = document.createElement('td');
      cell.textContent = i === 4 ? count(value) : value;
      if (i === 4) cell.className = 'number';
      line.append(cell);
    });
    return line;
  }));
}

async function showConfig() {
  if (!byId('config-details').open) return;
  const state = byId('config-state');
  try {
    write(byId('config-text'), await (await ask('/api/v1/config', AbortSignal.timeout(10000))).text());
    write(state, '');
  } catch (error) {
    write(byId('config-text'), '');
    write(state, 'The agent does not show it: ' + error.message);
  }
}
